/** Loading terminologies from their official files: all of a load at once, or nothing of it. */
import type { CodeSystem } from '@medplum/fhirtypes';
import type { Context, FhirStore, FhirTransaction } from '../../contract.ts';
import { criterion } from '../canonical.ts';
import { loadResources, madeId } from './fhir.ts';
import { LoadError } from './load-error.ts';
import { type LoadableSystem, removeSystem, storeSystem } from './store-system.ts';

export interface LoadOptions {
  /** Of the system, where its files do not say it. */
  version?: string;
  /** Canonical URL under which codes are known here, where it is not the usual one. */
  url?: string;
  /** Other versions of the system stay. */
  keepOthers?: boolean;
  progress?(line: string): void;
}

type Reader = (path: string, options: LoadOptions & { now: Date }) => Promise<LoadableSystem>;

/** Read when somebody loads: a server has no use for them. */
const readers: Readonly<Record<string, () => Promise<Reader>>> = {
  loinc: async () => (await import('./loinc.ts')).readLoinc,
  snomed: async () => (await import('./snomed.ts')).readSnomed,
  ccam: async () => (await import('./ccam.ts')).readCcam,
  cim10: async () => (await import('./cim10.ts')).readCim10,
};

/** What `loadTerminology` can load. */
export const loadKinds: readonly string[] = [...Object.keys(readers), 'fhir'];

/**
 * Loads files into the tenant of the context, in one transaction: until its end, and when it fails, what was there before answers.
 * @param path file or folder, as its publisher gives it.
 * @throws LoadError saying what is wrong with the files.
 */
export async function loadTerminology(
  store: FhirStore,
  context: Context,
  kind: string,
  path: string,
  options: LoadOptions = {},
): Promise<void> {
  const now = context.now();
  const reader = Object.hasOwn(readers, kind) ? await readers[kind]!() : undefined;
  const storing = {
    now,
    ...(options.keepOthers ? { keepOthers: true } : {}),
    ...(options.progress ? { progress: options.progress } : {}),
  };
  if (!reader) {
    if (kind !== 'fhir') throw new LoadError(`« ${kind} » est inconnu : ${loadKinds.join(', ')}`);
    await store.transaction(context, (tx) => loadResources(tx, path, storing));
    return;
  }
  const read = await reader(path, { ...options, now });
  const system = options.url ? { ...read, info: { ...read.info, url: options.url } } : read;
  await store.transaction(context, async (tx) => {
    await refuseResourceWithConcepts(tx, system.info.url);
    await storeSystem(tx.sql, context.tenant, system, storing);
    await tx.update(description(system, now));
  });
}

export interface LoadedSystem {
  url: string;
  version: string;
  title: string;
  concepts: number;
  loadedAt: Date;
}

export async function listLoaded(tx: FhirTransaction): Promise<LoadedSystem[]> {
  const { rows } = await tx.sql.query<LoadedSystem>(
    `SELECT url, version, coalesce(title, name) AS title, concepts, loaded_at AS "loadedAt"
     FROM terminology.code_system WHERE tenant = $1 ORDER BY url, version`,
    [tx.context.tenant],
  );
  return rows;
}

/** @returns how many versions were removed. */
export async function removeLoaded(tx: FhirTransaction, url: string, version?: string): Promise<number> {
  const { tenant } = tx.context;
  const { rows } = await tx.sql.query<{ system: number }>(
    'SELECT system FROM terminology.code_system WHERE tenant = $1 AND url = $2 AND version = coalesce($3, version)',
    [tenant, url, version ?? null],
  );
  for (const { system } of rows) await removeSystem(tx.sql, tenant, system);
  const { rows: left } = await tx.sql.query('SELECT FROM terminology.code_system WHERE tenant = $1 AND url = $2', [
    ...[tenant, url],
  ]);
  const described = await tx.find('CodeSystem', madeId(url));
  if (left.length === 0 && described) await tx.delete('CodeSystem', madeId(url));
  return rows.length;
}

/** A stored resource answers before tables do. */
async function refuseResourceWithConcepts(tx: FhirTransaction, url: string): Promise<void> {
  const stored = await tx.search('CodeSystem', `url=${criterion(url)}`);
  const other = stored.find(({ content }) => content !== 'not-present' && content !== 'supplement');
  if (other)
    throw new LoadError(`CodeSystem/${other.id} de ce groupe contient déjà des codes de ${url} : supprimez-le d’abord`);
}

/** What clients find under `CodeSystem?url=`: that the system is here, and in which version. */
function description({ info, concepts }: LoadableSystem, now: Date): CodeSystem {
  return {
    resourceType: 'CodeSystem',
    id: madeId(info.url),
    url: info.url,
    ...(info.version ? { version: info.version } : {}),
    name: info.name,
    ...(info.title ? { title: info.title } : {}),
    ...(info.language ? { language: info.language } : {}),
    status: 'active',
    date: now.toISOString(),
    content: 'not-present',
    caseSensitive: true,
    hierarchyMeaning: 'is-a',
    count: concepts.length,
    ...(info.valueSet ? { valueSet: info.valueSet } : {}),
    ...(info.properties.length > 0 ? { property: info.properties.map(({ code, type }) => ({ code, type })) } : {}),
  };
}
