/** End of a contract (SE-9): everything of a tenant, or of one of its establishments, returned, then destroyed. */
import type { Resource } from '@medplum/fhirtypes';
import { dataFolder } from '../../config/index.ts';
import { establishmentSystem } from '../../fhir/index.ts';
import { openBlobStore } from '../../imaging/index.ts';
import type { Sealing } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';
import type { DataRoom } from '../data-room.ts';
import { spokenMessage } from '../spoken.ts';
import { certificateNumber } from './certificate.ts';
import { casesOf, recordsOf } from './establishment-cases.ts';
import { digestOf, type Handover, listLine, openHandover, verifyHandover } from './handover.ts';
import { type Certify, type Check, destroyResources, destroyTenant, type Purged, type Query } from './purge.ts';

/** A tenant, or one of its establishments (Organization id). */
export interface Contract {
  tenant: string;
  establishment?: string;
}

/** The same, with what goes with the establishment's cases: resources that are older than the labels are found by it. */
interface Scope extends Contract {
  ofCases: ReadonlySet<string>;
}

interface StoredRow {
  id: string;
  content: string;
}

const rowsPerPage = 500;
const dayMs = 86_400_000;

/** Writes the return: current resources, earlier versions, images as received, documents. */
export async function returnData(room: DataRoom, contract: Contract, to: string, sealing: Sealing): Promise<Handover> {
  const { tenant } = contract;
  const blobs = await openBlobStore(dataFolder(room.config, 'blobs'), room.vault);
  const writer = await openHandover(to, tenant, { database: room.database, blobs, keys: room.keys, sealing });
  const query = queryIn(room, tenant);
  const scope = await scopeOf(room, contract);
  for await (const { resource, text } of currentOf(query, scope)) {
    await writer.resource(resource, text);
    if (resource.resourceType === 'ImagingStudy') await writer.study(resource.id!);
  }
  for (const table of await resourceTables(query)) {
    for await (const { content } of rowsOf(query, tenant, `${table}_past`, "content <> ''")) {
      const resource = JSON.parse(content) as Resource;
      if (isOf(resource, scope)) await writer.line('historique', resource, content);
    }
  }
  const handover = await writer.finish(contract, room.config.clock.now());
  await room.access.recordActivity(room.context(tenant, 'operator:contract-return'), {
    kind: 'export',
    details: {
      ...(contract.establishment ? { establishment: contract.establishment } : {}),
      resources: String(Object.values(handover.resources).reduce((sum, count) => sum + count, 0)),
      images: String(handover.images),
      list: handover.listSha256,
    },
  });
  return handover;
}

/**
 * Destroys what a verified return holds.
 * @throws CommandError when the return does not verify, is of something else, or something came or changed since.
 */
export async function destroyData(room: DataRoom, contract: Contract, folder: string): Promise<Purged> {
  const { tenant, establishment } = contract;
  const handover = await verifyHandover(folder, room.keys).catch((error: Error) => {
    throw new CommandError(`La restitution ne se vérifie pas : ${spokenMessage(error) ?? error.message}`);
  });
  if (handover.tenant !== tenant || handover.establishment !== establishment || handover.patient !== undefined) {
    throw new CommandError('Cette restitution est celle d’autre chose.');
  }
  const scope = await scopeOf(room, contract);
  const check: Check = async (query) => {
    const lines: string[] = [];
    for await (const { resource } of currentOf(query, scope)) lines.push(listLine(resource));
    if (digestOf(lines) !== handover.listSha256) {
      throw new CommandError('Quelque chose a changé depuis la restitution : restituez de nouveau, puis détruisez.');
    }
  };
  const now = room.config.clock.now();
  const certify: Certify = (destroyed) => ({
    ...{ format: 1, number: certificateNumber(now), kind: 'end-of-contract', tenant },
    ...(establishment === undefined ? {} : { establishment }),
    at: now.toISOString(),
    ground: `fin de contrat ; restitution du ${handover.at}, empreinte ${handover.listSha256}, ${handover.files.length} fichiers vérifiés`,
    ...destroyed,
    remains:
      'La trace des accès est conservée un an après la fin du contrat, puis détruite à son tour. Les sauvegardes antérieures contiennent encore ces données jusqu’à leur propre échéance.',
  });
  if (establishment !== undefined) {
    return destroyResources(room, tenant, await ownOf(room, scope), check, certify);
  }
  const purged = await destroyTenant(room, tenant, check, certify);
  await endTrail(room, tenant, now);
  return purged;
}

/** The trail is kept for a year from now on; a day already set stays. */
async function endTrail({ database }: DataRoom, tenant: string, now: Date): Promise<void> {
  await database.query(
    tenant,
    `INSERT INTO audit_retention (tenant, contract_end) VALUES ($1, $2)
     ON CONFLICT (tenant) DO UPDATE SET contract_end = coalesce(audit_retention.contract_end, excluded.contract_end)`,
    [tenant, now.toISOString().slice(0, 10)],
  );
}

async function scopeOf(room: DataRoom, contract: Contract): Promise<Scope> {
  const { tenant, establishment } = contract;
  if (establishment === undefined) return { ...contract, ofCases: new Set() };
  const everything = new Date(room.config.clock.now().getTime() + dayMs);
  return {
    ...contract,
    ofCases: await recordsOf(room, tenant, await casesOf(room, tenant, establishment, everything)),
  };
}

/** What is of this establishment alone. */
async function ownOf(room: DataRoom, scope: Scope): Promise<Set<string>> {
  const references = new Set<string>();
  for await (const { resource } of currentOf(queryIn(room, scope.tenant), scope)) {
    if (!isAlsoOfOthers(resource, scope)) references.add(`${resource.resourceType}/${resource.id}`);
  }
  return references;
}

function queryIn({ database }: DataRoom, tenant: string): Query {
  return (text, values) => database.query(tenant, text, values);
}

async function* currentOf(query: Query, scope: Scope): AsyncGenerator<{ resource: Resource; text: string }> {
  for (const table of await resourceTables(query)) {
    for await (const { content } of rowsOf(query, scope.tenant, table, 'NOT deleted')) {
      const resource = JSON.parse(content) as Resource;
      if (isOf(resource, scope)) yield { resource, text: content };
    }
  }
}

/** Tables of resources, the trail excepted: it has its own export (`audit-export`). */
async function resourceTables(query: Query): Promise<string[]> {
  const { rows } = await query<{ name: string }>(
    `SELECT format('fhir.%I', c.relname) AS name FROM pg_class c
     WHERE c.relnamespace = 'fhir'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'auditevent'
       AND EXISTS (SELECT FROM pg_class p WHERE p.relnamespace = c.relnamespace AND p.relname = c.relname || '_past')
     ORDER BY 1`,
    [],
  );
  return rows.map(({ name }) => name);
}

async function* rowsOf(query: Query, tenant: string, table: string, condition: string): AsyncGenerator<StoredRow> {
  for (let last: [string, number] = ['', 0]; ; ) {
    const { rows } = await query<StoredRow & { version: number }>(
      `SELECT id, version, content FROM ${table} WHERE tenant = $1 AND (id, version) > ($2, $3) AND ${condition}
       ORDER BY id, version LIMIT ${rowsPerPage}`,
      [tenant, ...last],
    );
    yield* rows;
    const end = rows.at(-1);
    if (!end) return;
    last = [end.id, end.version];
  }
}

function establishmentsOf(resource: Resource): string[] {
  const labels = resource.meta?.security ?? [];
  return labels.flatMap(({ system, code }) => (system === establishmentSystem && code ? [code] : []));
}

function isOf(resource: Resource, { establishment, ofCases }: Scope): boolean {
  if (establishment === undefined) return true;
  const labels = establishmentsOf(resource);
  return labels.length > 0 ? labels.includes(establishment) : ofCases.has(`${resource.resourceType}/${resource.id}`);
}

/** A patient two establishments of a group treat goes with the second one. */
function isAlsoOfOthers(resource: Resource, { establishment }: Contract): boolean {
  return establishment !== undefined && establishmentsOf(resource).some((code) => code !== establishment);
}
