/** Numbers the domain makes: case numbers for people, OIDs for documents. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { identifierSystem } from '../codes.ts';

/** No I, L, O, U: read aloud on the phone at night without mistake. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const randomLength = 8;

/** `TLR-20261122-4F7K2QXM`: the day of reception in UTC, then 40 random bits. */
export function caseNumber(now: Date): string {
  const bytes = randomBytes(randomLength);
  const random = [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('');
  return `TLR-${now.toISOString().slice(0, 10).replaceAll('-', '')}-${random}`;
}

/** The number people know a case by. */
export function caseNumberOf(task: Task): string | undefined {
  return task.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
}

/** OID of a new document under the UUID arc (ITU-T X.667): `2.25.` and the UUID as a decimal number, 44 characters at most. */
export function documentOid(uuid: string = randomUUID()): string {
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`;
}
