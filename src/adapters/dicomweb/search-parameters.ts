/** PS3.18 §8.3.4: the query of a search. Every parameter is used or refused; none is dropped. */
import type { ImagingQuery, Level } from '../../imaging/index.ts';
import { DicomwebError } from './errors.ts';

/** Items answered when the client gives no limit, and at most. */
const maximumItems: Readonly<Record<Level, number>> = { study: 1_000, series: 5_000, instance: 10_000 };
const maximumParameters = 100;
const maximumQueryLength = 32 * 1024;

export type SearchParameters = Pick<ImagingQuery, 'matches' | 'include' | 'fuzzy' | 'limit' | 'offset'>;

/** @throws DicomwebError 400 naming the parameter that is malformed. Attributes are checked by the imaging room. */
export function searchParameters(url: string, level: Level): SearchParameters {
  const text = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  if (text.length > maximumQueryLength) throw new DicomwebError(414, 'La requête de recherche est trop longue.');
  const query = [...new URLSearchParams(text)];
  if (query.length > maximumParameters)
    throw new DicomwebError(400, `${maximumParameters} paramètres de recherche au plus.`);
  const matches = new Map<string, string[]>();
  const found: SearchParameters & { include: string[] } = {
    matches: [],
    include: [],
    fuzzy: false,
    limit: maximumItems[level],
    offset: 0,
  };
  for (const [name, value] of query) {
    switch (name) {
      case 'accept':
        break;
      case 'limit':
        found.limit = Math.min(wholeNumber(name, value, 1), maximumItems[level]);
        break;
      case 'offset':
        found.offset = wholeNumber(name, value, 0);
        break;
      case 'fuzzymatching':
        if (value !== 'true' && value !== 'false')
          throw new DicomwebError(400, '« fuzzymatching » attend true ou false.');
        found.fuzzy = value === 'true';
        break;
      case 'includefield':
        found.include.push(...value.split(',').flatMap((one) => one.trim() || []));
        break;
      default:
        matches.set(name, [...(matches.get(name) ?? []), value]);
    }
  }
  return {
    ...found,
    matches: [...matches].flatMap(([attribute, values]) => {
      // Repeating this one means any of them, as its list form does; repeating another would mean both.
      if (attribute === 'ModalitiesInStudy' || attribute === '00080061')
        return [{ attribute, value: values.join(',') }];
      return values.map((value) => ({ attribute, value }));
    }),
  };
}

function wholeNumber(name: string, value: string, minimum: number): number {
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < minimum) {
    throw new DicomwebError(400, `« ${name} » attend un nombre entier à partir de ${minimum}.`);
  }
  return number;
}
