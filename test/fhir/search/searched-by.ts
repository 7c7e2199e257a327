import { dateInterval } from '../../../src/fhir/search/dates.ts';
import { numberOf } from '../../../src/fhir/search/numbers.ts';
import type { Parameter } from '../../../src/fhir/search/parameters.ts';
import { phoneticKeys } from '../../../src/fhir/search/phonetic.ts';
import { foldString, searchedStrings } from '../../../src/fhir/search/strings.ts';

const escaped = (text: string) => text.replace(/[\\,|$]/g, '\\$&');

type Element = Record<string, unknown>;

/** Search values that find a resource by each value the parameter selects from it; those with nothing to search for are left out. */
export function searchedBy(parameter: Parameter, resource: unknown): string[] {
  if (parameter.facets) {
    return parameter.facets.flatMap((facet) =>
      facet.elements(resource).flatMap((element) => {
        const parts = facet.parts.map((part) =>
          part.select(element, resource).map((value) => valueText(part.type, value)),
        );
        const first = parts.map((texts) => texts.find((text) => text !== undefined));
        return first.includes(undefined) ? [] : [first.join('$')];
      }),
    );
  }
  return parameter
    .select(resource)
    .map((value) => valueText(parameter.code === 'phonetic' ? 'phonetic' : parameter.type, value))
    .filter((text) => text !== undefined);
}

function valueText(type: Parameter['type'] | 'phonetic', value: unknown): string | undefined {
  const element = (typeof value === 'object' && value !== null ? value : {}) as Element;
  switch (type) {
    case 'token':
      return tokenText(value, element);
    case 'reference': {
      const reference = typeof value === 'string' ? value : element.reference;
      return typeof reference === 'string' && !reference.startsWith('#') ? escaped(reference) : undefined;
    }
    case 'uri':
      return typeof value === 'string' ? escaped(value) : undefined;
    case 'string':
      return searchedStrings(value)
        .map(foldString)
        .find((text) => text !== '');
    case 'phonetic':
      return searchedStrings(value).find((text) => phoneticKeys(text).length > 0);
    case 'date': {
      const event = (element.event as string[] | undefined)?.[0];
      const bounds = (element.repeat as { boundsPeriod?: Element } | undefined)?.boundsPeriod;
      const text = [value, element.start, element.end, event, bounds?.start, bounds?.end].find(
        (item) => typeof item === 'string',
      );
      return text !== undefined && dateInterval(text as string) ? `ap${text}` : undefined;
    }
    case 'number':
      return quantityText(value, element)?.split('|', 1)[0];
    case 'quantity':
      return quantityText(value, element);
    case 'special': {
      const position = element as { latitude?: number; longitude?: number };
      return position.latitude === undefined ? undefined : `${position.latitude}|${position.longitude}|1`;
    }
    case 'composite':
      return undefined;
  }
}

function tokenText(value: unknown, element: Element): string | undefined {
  if (typeof value !== 'object') return escaped(String(value));
  const coding = (element.coding as Element[] | undefined)?.find(({ code }) => code);
  const { system, code = element.value } = coding ?? element;
  if (typeof code !== 'string') return undefined;
  return system ? `${escaped(String(system))}|${escaped(code)}` : `|${escaped(code)}`;
}

/** The number with its unit as it is written, asked for as greater or equal; upper ends alone as less or equal. */
function quantityText(value: unknown, element: Element): string | undefined {
  const plain = numberOf(value);
  if (plain !== undefined) return `ge${plain}`;
  const [prefix, quantity] = element.low
    ? ['ge', element.low]
    : element.high
      ? ['le', element.high]
      : ['', element.origin ?? element];
  const { value: number, system, code, currency, comparator } = quantity as Element;
  const numeric = numberOf(number);
  if (numeric === undefined) return undefined;
  const unit = currency
    ? `|urn:iso:std:iso:4217|${currency}`
    : system && code
      ? `|${escaped(String(system))}|${escaped(String(code))}`
      : '';
  const direction = typeof comparator === 'string' && comparator.startsWith('<') ? 'lt' : prefix || 'ge';
  return `${element.origin ? 'ap' : direction}${numeric}${unit}`;
}
