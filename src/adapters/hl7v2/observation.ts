/** OBX: which one is which, sub-ids `n.m`, values. Labels (OBX-3.2) are never looked at. */
import type { CodeableConcept, Observation, Quantity } from '@medplum/fhirtypes';
import { codedValue, concept, systemUri } from './coding.ts';
import type { Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import type { CodedElement, Tables } from './tables.ts';
import { location, type OrderGroup, type Translation, timestampOf } from './translation.ts';

/** OBX segments of a group with that code, in order. */
export function observationsOf(group: OrderGroup, code: string): Segment[] {
  return group.segments.filter((segment) => segment.name === 'OBX' && segment.value(3) === code);
}

/** One thing described by several OBX: its properties by `m` of the sub-id `n.m`. */
export interface Occurrence {
  n: string;
  properties: Map<string, Segment>;
}

/** Groups OBX by the first part of their sub-id; without a sub-id, the only property is the first one. */
export function occurrences(segments: readonly Segment[]): Occurrence[] {
  const found: Occurrence[] = [];
  for (const segment of segments) {
    const [n = '1', m = '1'] = (segment.value(4) ?? '1.1').split('.');
    let occurrence = found.find((candidate) => candidate.n === n);
    // The same property twice under one sub-id: the sender forgot to number; it is another thing, not an overwrite.
    if (!occurrence || occurrence.properties.has(m)) {
      occurrence = { n, properties: new Map() };
      found.push(occurrence);
    }
    occurrence.properties.set(m, segment);
  }
  return found;
}

/** The same of what there is once: which of two that differ is meant, nobody knows. @throws Refusal `incoherent` too. */
export function requireOneObservation(group: OrderGroup, element: CodedElement): Segment {
  const found = requireObservation(group, element);
  const other = observationsOf(group, element.code).find((segment) => segment.text(5) !== found.text(5));
  if (other === undefined) return found;
  throw new Refusal('incoherent', location(other, 5), { reason: `OBX ${element.code} : deux valeurs pour un examen` });
}

/** An OBX the flow cannot do without. @throws Refusal `observation-missing`. */
export function requireObservation(group: OrderGroup, element: CodedElement): Segment {
  const [found] = observationsOf(group, element.code);
  if (found) return found;
  throw new Refusal('observation-missing', `OBX^${group.first('OBX')?.ordinal ?? 1}^3`, {
    path: element.code,
    name: element.name,
  });
}

/** Regions with their topographic modifiers, in order: region, its modifier, next region… */
export function readBodySites(translation: Translation, group: OrderGroup, element: CodedElement): CodeableConcept[] {
  const sites: CodeableConcept[] = [];
  for (const { properties } of occurrences(observationsOf(group, element.code))) {
    const region = properties.get('1');
    const modifier = properties.get('2');
    if (!region) {
      const at = modifier ?? [...properties.values()][0];
      throw new Refusal('incoherent', at && location(at, 4), {
        reason: `OBX ${element.code} : modificateur sans région (sous-identifiant n.1)`,
      });
    }
    sites.push(concept(codedValue(translation, region, 5, element, element.valueSet ?? 'region')));
    if (modifier) {
      const named = { ...element, name: 'modificateur topographique' };
      sites.push(concept(codedValue(translation, modifier, 5, named, element.modifierValueSet ?? 'modifier')));
    }
  }
  return sites;
}

/** Height, weight, pregnancy, history: those of the dictionary that the group holds. */
export function readObservations(translation: Translation, group: OrderGroup, made: string | undefined): Observation[] {
  const { tables } = translation;
  return tables.observations.request.observations.flatMap((rule) =>
    observationsOf(group, rule.code).map((segment): Observation => {
      const effective = timestampOf(translation, segment, 14, 'date de l’observation')?.dateTime ?? made;
      const base: Observation = {
        resourceType: 'Observation',
        status: 'final',
        ...(rule.category
          ? {
              category: [
                {
                  coding: [
                    { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: rule.category },
                  ],
                },
              ],
            }
          : {}),
        code: { coding: [{ system: 'http://loinc.org', code: rule.code, display: rule.display }] },
        ...(effective ? { effectiveDateTime: effective } : {}),
      };
      const impact =
        rule.interpretationValueSet && readInterpretation(translation, segment, rule.interpretationValueSet);
      if (impact) base.interpretation = [impact];
      if (rule.kind === 'quantity') return { ...base, valueQuantity: readQuantity(segment, rule.name, tables) };
      if (rule.kind === 'coded') {
        const coding = codedValue(translation, segment, 5, { code: rule.code, name: rule.name }, rule.valueSet ?? '');
        return { ...base, valueCodeableConcept: concept(coding) };
      }
      return { ...base, valueString: requireText(segment, 5, rule.name) };
    }),
  );
}

/** OBX-5 as a number with OBX-6. @throws Refusal when it is not a number. */
export function readQuantity(segment: Segment, name: string, tables: Tables): Quantity {
  const text = requireText(segment, 5, name).replace(',', '.');
  if (!/^[+-]?\d{1,12}(\.\d{1,6})?$/.test(text)) {
    throw new Refusal('bad-type', location(segment, 5), { path: `OBX-5`, name, expected: 'nombre attendu' });
  }
  const unit = segment.value(6);
  const known =
    unit === undefined ? undefined : tables.observations.units.find((candidate) => candidate.v2.includes(unit));
  return {
    value: Number(text),
    ...(unit ? { unit } : {}),
    ...(known ? { system: systemUri('UCUM', tables), code: known.ucum } : {}),
  };
}

/** A whole field as text. @throws Refusal `field-missing`. */
export function requireText(segment: Segment, field: number, name: string): string {
  const text = segment.text(field);
  if (text === undefined)
    throw new Refusal('field-missing', location(segment, field), { path: `${segment.name}-${field}`, name });
  return text;
}

/**
 * Octets of an ED value (`^TEXT^^Base64^…`). Blanks and missing padding are tolerated: both circulate.
 * @throws Refusal `bad-base64` when the rest is not base64.
 */
export function readEncapsulated(segment: Segment, name: string): Buffer {
  const data = segment.value(5, 5);
  if (data === undefined) throw new Refusal('field-missing', location(segment, 5), { path: 'OBX-5.5', name });
  const compact = data.replace(/\s/g, '').replace(/(?<!=)=+$/, '');
  if (compact === '' || !/^[A-Za-z0-9+/]+$/.test(compact) || compact.length % 4 === 1) {
    throw new Refusal('bad-base64', location(segment, 5), { path: 'OBX-5', name });
  }
  return Buffer.from(compact, 'base64');
}

function readInterpretation(
  { tables, warnings }: Translation,
  segment: Segment,
  valueSet: string,
): CodeableConcept | undefined {
  const sent = segment.value(8);
  if (sent === undefined) return undefined;
  const known = tables['value-sets'][valueSet]?.codes.find((code) => code.code === sent);
  if (known) return concept(known);
  warnings.push('OBX-8 : code inconnu, gardé en texte');
  return { text: sent };
}
