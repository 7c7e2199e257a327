/**
 * An acceptance as the directory of the accepting tenant shows it: the person as a Practitioner of that tenant, so that cases and
 * reports refer to somebody there, and a PractitionerRole for each establishment.
 */
import type { Identifier, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { accountSystem, type FhirTransaction, identifierQuery } from '../../fhir/index.ts';
import { passerelle, roleSystem, rppsSystem } from '../codes.ts';
import type { Acceptance } from './acceptance.ts';

const acceptanceSystem = `${passerelle}/sid/acceptance`;

/**
 * Id of the person's Practitioner here: the one with the same RPPS number or account, else a copy of the one at home.
 * @param home the person in the account's tenant; undefined when that tenant has no such resource.
 */
export async function practitionerHere(
  tx: FhirTransaction,
  account: { login: string; display: string },
  home: Practitioner | undefined,
): Promise<string> {
  const named: Identifier = { system: accountSystem, value: account.login };
  const rpps = home?.identifier?.find(({ system }) => system === rppsSystem)?.value;
  for (const identifier of [named, ...(rpps ? [{ system: rppsSystem, value: rpps }] : [])]) {
    const [known] = await tx.search('Practitioner', `${identifierQuery(identifier.system, identifier.value)}&_count=1`);
    if (known) return known.id!;
  }
  const { name = [{ text: account.display }], identifier = [], qualification } = home ?? {};
  const copy: Practitioner = {
    resourceType: 'Practitioner',
    active: true,
    identifier: [...identifier, named],
    name,
    ...(qualification ? { qualification } : {}),
  };
  return (await tx.create(copy)).id;
}

/** One PractitionerRole for each establishment (https://hl7.org/fhir/R4/practitionerrole.html). */
export async function showAcceptance(tx: FhirTransaction, acceptance: Acceptance, display: string): Promise<void> {
  const { id, reference, roles, establishments, since, until } = acceptance;
  for (const establishment of establishments) {
    const role: PractitionerRole = {
      resourceType: 'PractitionerRole',
      active: true,
      identifier: [{ system: acceptanceSystem, value: id }],
      practitioner: { reference, display },
      organization: { reference: `Organization/${establishment}` },
      code: roles.map((code) => ({ coding: [{ system: roleSystem, code }] })),
      period: { start: since.toISOString(), ...(until ? { end: until.toISOString() } : {}) },
    };
    await tx.create(role);
  }
}

/** The same, once it is over. */
export async function showEnd(tx: FhirTransaction, { id }: Acceptance, now: Date): Promise<void> {
  const shown = await tx.search('PractitionerRole', `identifier=${encodeURIComponent(`${acceptanceSystem}|${id}`)}`);
  for (const role of shown) {
    const { start } = role.period ?? {};
    const period = { ...(start ? { start } : {}), end: now.toISOString() };
    await tx.update({ ...role, active: false, period });
  }
}
