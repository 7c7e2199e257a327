/**
 * The Practitioner an account acts as (ID-3: professionals by RPPS): the tenant's own, found by what it knows the person by, else a
 * new one.
 */
import type { Identifier, Practitioner } from '@medplum/fhirtypes';
import { accountSystem, type Context, type FhirStore, identifierQuery } from '../../fhir/index.ts';
import { frenchIdentifierTypes, rppsSystem } from '../codes.ts';

export interface Named {
  login: string;
  family: string;
  given: string;
  /** 11 digits. */
  rpps?: string;
}

/** `Practitioner/…`. Two at once for the same person are one. */
export async function practitionerFor(store: FhirStore, context: Context, person: Named): Promise<string> {
  const { login, family, given, rpps } = person;
  const identifier: Identifier = rpps
    ? { type: { coding: [{ system: frenchIdentifierTypes, code: 'RPPS' }] }, system: rppsSystem, value: rpps }
    : { system: accountSystem, value: login };
  const practitioner: Practitioner = {
    resourceType: 'Practitioner',
    active: true,
    identifier: [identifier],
    name: [{ family, ...(given ? { given: [given] } : {}) }],
  };
  const criteria = identifierQuery(identifier.system, identifier.value);
  const { resource } = await store.transaction(context, (tx) => tx.createIfNone(practitioner, criteria));
  return `Practitioner/${resource.id}`;
}

/**
 * The RPPS in a national id (`8` and 11 digits) or by itself; undefined when it is neither.
 */
export function rppsOf(text: string | undefined): string | undefined {
  return /^8?(\d{11})$/.exec(text?.replace(/\s/g, '') ?? '')?.[1];
}
