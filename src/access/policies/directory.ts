/**
 * Who a person is in the directory is kept by those who keep accounts: signatures name them by it, notices reach them by its addresses. A
 * hospital's software may add and correct professionals of its own, but neither those who sign in here nor those of another hospital: what is
 * meant for these would be sent elsewhere (SE-4).
 */
import type { Practitioner, Resource } from '@medplum/fhirtypes';
import { type Change, establishmentSystem, type FhirTransaction } from '../../fhir/index.ts';
import { refusal } from '../refusals.ts';

/** Tag of an entry: the establishment whose software made it. Set by the server and by nobody else. */
const keeperSystem = 'https://fhir.passerelle.example/sid/directory-keeper';

const keepers: readonly string[] = ['administrator', 'coordinator', 'conformance', 'system'];

const keepsDirectory = ({ context: { actor } }: FhirTransaction): boolean =>
  actor.kind === 'system' || actor.roles.some((role) => keepers.includes(role));

/** For `store.beforeWrite`: an entry says whose software made it, and goes on saying so. */
export async function markKeeper(resource: Resource, tx: FhirTransaction): Promise<Resource> {
  if (resource.resourceType !== 'Practitioner') return resource;
  const before = resource.id === undefined ? undefined : await tx.find('Practitioner', resource.id);
  const made = before ? keepersOf(before) : keepsDirectory(tx) ? [] : (tx.context.establishments ?? []);
  if (JSON.stringify(keepersOf(resource)) === JSON.stringify(made)) return resource;
  const { tag, ...meta } = resource.meta ?? {};
  const tags = [
    ...(tag ?? []).filter(({ system }) => system !== keeperSystem),
    ...made.map((code) => ({ system: keeperSystem, code })),
  ];
  return { ...resource, meta: { ...meta, ...(tags.length > 0 ? { tag: tags } : {}) } };
}

const keepersOf = ({ meta }: Practitioner): string[] =>
  (meta?.tag ?? []).flatMap(({ system, code }) => (system === keeperSystem && code !== undefined ? [code] : []));

/** For `store.beforeCommit`. @throws FhirError 403. */
export async function guardDirectory(change: Change, tx: FhirTransaction): Promise<void> {
  if (change.type !== 'Practitioner' || keepsDirectory(tx)) return;
  if (await signsIn(change.id, tx))
    throw refusal(403, 'forbidden', {
      diagnostics: 'The directory entry of a person who signs in here is changed by administrators and coordinators',
      text: 'La fiche d’une personne qui a un compte ici est tenue par les administrateurs et les coordonnateurs.',
    });
  const [before, after] = [change.before, change.after] as (Practitioner | undefined)[];
  if (before === undefined || said(before) === said(after)) return;
  if (!(await isOfOthers(before, change.id, tx))) return;
  throw refusal(403, 'forbidden', {
    diagnostics: 'The directory entry of another establishment is changed by its own software, or by administrators',
    text: 'Cette fiche est celle d’un autre établissement : son logiciel, un administrateur ou un coordonnateur la corrige.',
  });
}

async function signsIn(id: string, { sql, context }: FhirTransaction): Promise<boolean> {
  const { rows } = await sql.query(
    `SELECT FROM account WHERE tenant = $1 AND reference = $2
     UNION ALL SELECT FROM acceptance WHERE tenant = $1 AND reference = $2 AND ended_at IS NULL
     LIMIT 1`,
    [context.tenant, `Practitioner/${id}`],
  );
  return rows.length > 0;
}

function said(entry: Practitioner | undefined): string {
  const { meta: _meta, ...rest } = entry ?? {};
  return JSON.stringify(Object.entries(rest).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Made by the software of others, working for others, or named by the requests of others. */
async function isOfOthers(entry: Practitioner, id: string, tx: FhirTransaction): Promise<boolean> {
  const own = tx.context.establishments ?? [];
  if (keepersOf(entry).some((establishment) => !own.includes(establishment))) return true;
  const roles = await tx.search('PractitionerRole', `practitioner=Practitioner/${id}`);
  const places = roles.flatMap(({ organization }) => organization?.reference?.replace(/^Organization\//, '') ?? []);
  if (places.some((place) => !own.includes(place))) return true;
  const ours = own.map((establishment) => `${establishmentSystem}|${establishment}`).join(',');
  const others = ours === '' ? '' : `&_security:not=${encodeURIComponent(ours)}`;
  return (await tx.search('ServiceRequest', `requester=Practitioner/${id}${others}&_count=1`)).length > 0;
}
