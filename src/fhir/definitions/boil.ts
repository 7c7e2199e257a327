/** StructureDefinitions without what validation does not read: texts, mappings, and the snapshot where the base is at hand. */
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

const kept = new Set(
  'id path sliceName slicing min max type contentReference binding constraint maxLength isModifier'.split(' '),
);
const keptChoices = /^(?:fixed|pattern|minValue|maxValue)[A-Z]/;

/** @param isBaseKnown whether the definition it derives from is at hand; else its snapshot stays. */
export function boilProfile(profile: StructureDefinition, isBaseKnown: boolean): StructureDefinition {
  const { url, version, name, status, kind, abstract, type, baseDefinition, derivation, context, contextInvariant } =
    profile;
  const base = { resourceType: 'StructureDefinition' as const, url, name, status, kind, abstract, type };
  const more = { version, baseDefinition, derivation, context, contextInvariant };
  const { differential, snapshot } = profile;
  const whole = isBaseKnown && differential ? { differential: boiled(differential) } : { snapshot: boiled(snapshot) };
  return JSON.parse(JSON.stringify({ ...base, ...more, ...whole })) as StructureDefinition;
}

function boiled(elements: { element: ElementDefinition[] } | undefined): { element: object[] } {
  return { element: (elements?.element ?? []).map(boilElement).filter((element) => Object.keys(element).length > 2) };
}

function boilElement(element: ElementDefinition): object {
  const entries = Object.entries(element).filter(([name]) => kept.has(name) || keptChoices.test(name));
  const { binding, constraint, slicing, type, isModifier, ...rest } = Object.fromEntries(
    entries,
  ) as Partial<ElementDefinition>;
  return {
    ...rest,
    ...(slicing
      ? { slicing: { discriminator: slicing.discriminator, ordered: slicing.ordered, rules: slicing.rules } }
      : {}),
    ...(type
      ? {
          type: type.map(({ code, profile, targetProfile, aggregation }) => ({
            code,
            profile,
            targetProfile,
            aggregation,
          })),
        }
      : {}),
    ...(binding?.strength === 'required' ? { binding: { strength: 'required', valueSet: binding.valueSet } } : {}),
    ...(constraint
      ? {
          constraint: constraint.map(({ key, severity, expression, source }) => ({
            key,
            severity,
            expression,
            source,
          })),
        }
      : {}),
    // Only the extension as a whole is asked for it.
    ...(isModifier !== undefined && element.path === 'Extension' ? { isModifier } : {}),
  };
}
