/** Patients worth comparing: by number, by date of birth (also with day and month exchanged), by name. */
import type { Patient } from '@medplum/fhirtypes';
import type { RestReads } from '../store/contract.ts';
import { swapped } from './match-comparison.ts';
import type { Traits } from './match-traits.ts';
import { parsed } from './reads.ts';

/** Candidates per search: a birthday of a million patients has about thirty. */
const perSearch = 1_000;

export interface Candidates {
  patients: Patient[];
  /** A search had more: the answer says so. */
  isCut: boolean;
}

/** Each once, by id. */
export async function candidatesOf(reads: RestReads, traits: Traits): Promise<Candidates> {
  const found = new Map<string, Patient>();
  let isCut = false;
  for (const query of queriesOf(traits)) {
    const page = await reads.searchBundle('Patient', `${query}&_count=${perSearch}`);
    isCut ||= page.next !== undefined;
    for (const version of page.matches) found.set(version.id, parsed(version) as Patient);
  }
  const patients = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, patient]) => patient);
  return { patients, isCut };
}

/** Names are searched by their first word: the rest may have been typed with a hyphen, a space or not at all. */
function queriesOf({ ins, ipp, birthName, otherNames, firstGiven, birthDate }: Traits): string[] {
  const numbers = [...ins, ...ipp].map(
    ({ system, spellings }) => `identifier=${spellings.map((value) => `${token(system)}|${token(value)}`).join()}`,
  );
  const dates = birthDate === undefined ? [] : [birthDate, swapped(birthDate) ?? birthDate];
  const names = [birthName, ...otherNames].flatMap(([word]) =>
    word && firstGiven[0] ? [`family=${encodeURIComponent(word)}&given=${encodeURIComponent(firstGiven[0])}`] : [],
  );
  return [...new Set([...numbers, ...dates.map((date) => `birthdate=${date}`), ...names])];
}

/** Inside a token `,` `|` `$` and `\` separate unless escaped. */
function token(text: string): string {
  return encodeURIComponent(text.replaceAll(/[\\,|$]/g, '\\$&'));
}
