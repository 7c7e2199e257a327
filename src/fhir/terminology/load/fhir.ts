/** CodeSystem, ValueSet and ConceptMap resources from JSON files: single ones, Bundles, or the folder of an unpacked FHIR package. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Bundle, CodeSystem, Resource } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../contract.ts';
import { criterion } from '../canonical.ts';
import { conceptsOf, systemInfo } from '../concept.ts';
import type { TerminologyResource } from '../r4.ts';
import { findFiles } from './files.ts';
import { LoadError } from './load-error.ts';
import { type StoreSystemOptions, storeSystem } from './store-system.ts';

/** Code systems with more concepts go into tables; their resource then says `not-present`. */
const resourceLimit = 2000;

export interface LoadedResources {
  stored: number;
  /** Code systems among them whose concepts are in tables. */
  inTables: number;
  /** Resources of other types, left alone. */
  skipped: number;
}

/** @throws LoadError naming the file. */
export async function loadResources(
  tx: FhirTransaction,
  path: string,
  options: StoreSystemOptions,
): Promise<LoadedResources> {
  const loaded: LoadedResources = { stored: 0, inTables: 0, skipped: 0 };
  const files = await findFiles(path, /\.json$/i);
  if (files.length === 0) throw new LoadError(`${path} ne contient aucun fichier JSON`);
  for (const file of files) {
    for (const resource of resourcesOf(await readJsonFile(file))) {
      if (!isTerminology(resource)) {
        loaded.skipped++;
        continue;
      }
      try {
        if (await storeResource(tx, resource, options)) loaded.inTables++;
        loaded.stored++;
      } catch (error) {
        if (error instanceof FhirError || error instanceof LoadError)
          throw new LoadError(`${resource.resourceType} ${resource.url ?? ''} : ${reasonOf(error)}`, basename(file));
        throw error;
      }
    }
  }
  if (loaded.stored === 0) throw new LoadError(`${path} ne contient ni CodeSystem, ni ValueSet, ni ConceptMap`);
  options.progress?.(`${loaded.stored} ressources rangées, dont ${loaded.inTables} avec leurs concepts en tables`);
  return loaded;
}

function reasonOf(error: FhirError | LoadError): string {
  if (!(error instanceof FhirError)) return error.message;
  const issue = error.outcome.issue[0];
  return [issue?.expression?.[0], issue?.diagnostics].filter(Boolean).join(' ');
}

async function readJsonFile(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new LoadError(`ce n’est pas du JSON (${(error as Error).message})`, basename(file));
  }
}

function resourcesOf(content: unknown): Resource[] {
  const resource = content as Resource | null;
  if (typeof resource !== 'object' || resource === null || typeof resource.resourceType !== 'string') return [];
  if (resource.resourceType !== 'Bundle') return [resource];
  return ((resource as Bundle).entry ?? []).flatMap((entry) => (entry.resource ? [entry.resource] : []));
}

function isTerminology(resource: Resource): resource is TerminologyResource {
  return ['CodeSystem', 'ValueSet', 'ConceptMap'].includes(resource.resourceType);
}

/** @returns whether concepts went into tables. */
async function storeResource(
  tx: FhirTransaction,
  resource: TerminologyResource,
  options: StoreSystemOptions,
): Promise<boolean> {
  if (!resource.url) throw new LoadError('il manque une url : personne ne pourrait la nommer');
  const id = await idFor(tx, resource);
  // The narrative repeats the content, in many times its size; the server writes its own meta.
  const { text: _text, meta: _meta, ...rest } = resource;
  const concepts =
    resource.resourceType === 'CodeSystem' && resource.content === 'complete' ? conceptsOf(resource) : [];
  if (concepts.length <= resourceLimit) {
    await tx.update({ ...rest, id } as TerminologyResource);
    return false;
  }
  const system = resource as CodeSystem;
  const { complete: _complete, caseSensitive, ...info } = systemInfo(system, concepts);
  if (!caseSensitive) throw new LoadError('insensible à la casse : trop grand pour cela');
  await storeSystem(tx.sql, tx.context.tenant, { info, concepts }, options);
  const { concept: _concept, ...described } = rest as CodeSystem;
  await tx.update({ ...described, id, content: 'not-present', count: concepts.length });
  return true;
}

/** Loading again replaces what has the same URL and version, then what has the same id and URL. */
async function idFor(tx: FhirTransaction, { resourceType, url, version, id }: TerminologyResource): Promise<string> {
  const same = (await tx.search(resourceType, `url=${criterion(url!)}`)) as TerminologyResource[];
  const twin = same.find((stored) => stored.version === version);
  if (twin?.id) return twin.id;
  if (id !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(id)) {
    const held = (await tx.find(resourceType, id)) as TerminologyResource | undefined;
    if (!held || held.url === url) return id;
  }
  return madeId(`${url}|${version ?? ''}`);
}

/** An id that stays the same for the same text. */
export function madeId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
