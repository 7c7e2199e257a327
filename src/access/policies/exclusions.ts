/**
 * An establishment's exclusion of a reader (CM-5) takes its cases out of their sight: docs/access/policy.md, docs/rota.md. What says so is the
 * reader's PractitionerRole there, as anybody can read it.
 */
import type { PractitionerRole, ResourceType } from '@medplum/fhirtypes';
import type { Change, FhirStore, RowScope } from '../../fhir/index.ts';
import { signedStatuses } from './case-keys.ts';
import type { Policy } from './policy.ts';

const exclusionUrl = 'https://fhir.passerelle.example/StructureDefinition/reader-exclusion';
/** Who reads; an exclusion is of readers. */
const readerRoles: readonly string[] = ['radiologist', 'expert'];

/**
 * Establishments (Organization ids) that excluded somebody. Empty for who is there for something else as well, a technologist say: what
 * that task shows stays.
 *
 * @param reference `Practitioner/[id]`; anything else reads nothing and is excluded from nothing.
 */
export async function excludedFrom(
  store: FhirStore,
  tenant: string,
  reference: string,
  policies: readonly Policy[],
): Promise<ReadonlySet<string>> {
  const granting = policies.filter(({ grants }) => grants.some(({ rows }) => rows.includes('establishments')));
  const isReaderOnly = granting.length > 0 && granting.every(({ role }) => readerRoles.includes(role));
  if (!isReaderOnly || !/^Practitioner\/[A-Za-z0-9.-]{1,64}$/.test(reference)) return new Set();
  const roles: PractitionerRole[] = await store.search(tenant, 'PractitionerRole', `practitioner=${reference}`);
  return new Set(roles.flatMap((role) => (isExcluded(role) ? establishmentOf(role) : [])));
}

/** Types by which an open case is named to who began it: the draft they dictated, messages from them and to them, files of theirs. */
const namingCases: readonly string[] = ['DiagnosticReport', 'Communication', 'DocumentReference'];

/**
 * Conditions that take from an excluded reader what is theirs in cases that go on without them. What they signed stays theirs.
 * @param seen every search value of which a row has one; first, since an index finds by it. @param granted those that are not of ownership.
 */
export function ownedOfOpenCases(
  types: readonly ResourceType[],
  seen: RowScope['keys'],
  granted: RowScope['keys'],
): NonNullable<RowScope['narrowed']> {
  const signed = signedStatuses.map((value) => ({ parameter: 'status', value }));
  return new Map(
    types.map((type) => {
      if (!namingCases.includes(type)) return [type, []];
      return [type, [seen, type === 'DiagnosticReport' ? [...granted, ...signed] : granted]];
    }),
  );
}

/** Whether a write excludes somebody, or takes an exclusion back. */
export function changesExclusion({ type, before, after }: Change): boolean {
  if (type !== 'PractitionerRole') return false;
  const [was, is] = [before, after] as (PractitionerRole | undefined)[];
  return (was !== undefined && isExcluded(was)) || (is !== undefined && isExcluded(is));
}

function isExcluded({ extension }: PractitionerRole): boolean {
  return extension?.some(({ url }) => url === exclusionUrl) ?? false;
}

function establishmentOf({ organization }: PractitionerRole): string[] {
  const id = /^Organization\/(.+)$/.exec(organization?.reference ?? '')?.[1];
  return id === undefined ? [] : [id];
}
