/** `_summary` and `_elements` (https://hl7.org/fhir/R4/search.html#summary): parts of a resource, marked SUBSETTED. */
import type { Meta } from '@medplum/fhirtypes';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import { keepLiterals, parseJson, stringifyJson } from '../json/index.ts';
import type { StoredVersion } from '../store/contract.ts';
import type { Summary } from './request.ts';

/** Tag of what lacks elements. */
export const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

/** The version with its text reduced; itself when nothing was asked. */
export function subsetText(
  definitions: SearchDefinitions,
  version: StoredVersion,
  summary: Summary | undefined,
  elements: readonly string[] | undefined,
): StoredVersion {
  const keeps = elementFilter(definitions, version.type, summary, elements);
  if (!keeps) return version;
  const resource = parseJson(version.text) as Record<string, unknown>;
  const kept = Object.fromEntries(
    // `_birthDate` carries the extensions of `birthDate`.
    Object.entries(resource).filter(([name]) => keeps(name.startsWith('_') ? name.slice(1) : name)),
  );
  const meta = (resource.meta ?? {}) as Meta;
  const subset = keepLiterals(resource, { ...kept, meta: { ...meta, tag: [...(meta.tag ?? []), subsetted] } });
  return { ...version, text: stringifyJson(subset), whole: version.whole ?? version.text };
}

function elementFilter(
  definitions: SearchDefinitions,
  type: string,
  summary: Summary | undefined,
  elements: readonly string[] | undefined,
): ((name: string) => boolean) | undefined {
  const always = ['resourceType', 'id', 'meta'];
  if (elements && elements.length > 0) {
    const names = new Set([...always, ...definitions.mandatory(type), ...elements]);
    // `value` stands for `valueQuantity` and its siblings.
    const choices = elements.filter((name) => definitions.choices[`${type}.${name}`]);
    return (name) => names.has(name) || choices.some((choice) => new RegExp(`^${choice}[A-Z]`).test(name));
  }
  switch (summary) {
    case 'true': {
      const names = new Set([...always, 'implicitRules', ...definitions.summary(type)]);
      return (name) => names.has(name);
    }
    case 'text': {
      const names = new Set([...always, 'text', ...definitions.mandatory(type)]);
      return (name) => names.has(name);
    }
    case 'data':
      return (name) => name !== 'text';
    default:
      return undefined;
  }
}
