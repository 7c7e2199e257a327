/** What the server tells in the end, by every road: histories, reads, searches. */
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { type HttpClient, httpClient } from './http.ts';
import type { Observation, Told } from './log.ts';
import { criteriaOf } from './requests.ts';

/** Every version of every Patient, from the history of the type; problems where other roads tell otherwise. */
export async function tellHistory(
  base: string,
  keys: readonly string[],
): Promise<{ told: Told[]; problems: string[] }> {
  const client = httpClient(base);
  try {
    const told = await versionsIn(client, 'Patient/_history?_count=500');
    const problems = sameVersions('history of the system', told, await versionsIn(client, '_history?_count=700'));
    for (const [ref, versions] of Map.groupBy(told, (version) => version.ref)) {
      const own = await versionsIn(client, `${ref}/_history?_count=1000&_sort=_lastUpdated`);
      problems.push(...sameVersions(`history of ${ref}`, versions, own));
      const last = versions.reduce((a, b) => (a.version > b.version ? a : b));
      const { status, text } = await client.send({ method: 'GET', path: ref });
      const isSame = last.isDelete ? status === 410 : status === 200 && JSON.stringify(JSON.parse(text)) === last.text;
      if (!isSame) problems.push(`${ref} is not read as its last version`);
    }
    for (const key of keys) {
      const { text } = await client.send({ method: 'GET', path: `Patient?${criteriaOf(key).replace('|', '%7C')}` });
      const found = ((JSON.parse(text) as Bundle).entry ?? []).length;
      if (found > 1) problems.push(`${found} resources have the identifier ${key}`);
    }
    return { told, problems };
  } finally {
    client.close();
  }
}

/** Kinds of requests of which at least one was accepted: of the others a run says nothing. */
export function acceptedKinds(observations: readonly Observation[]): string[] {
  return [...new Set(observations.filter(({ status }) => status < 400).map(({ kind }) => kind))].sort();
}

/**
 * Says which resource a deletion by identifier deleted. Of several that it could be, whoever was answered first takes the oldest: thus each
 * finds one if each can.
 */
export function nameDeletions(observations: readonly Observation[], told: readonly Told[]): void {
  const oldestFirst = told.toSorted((a, b) => a.lastUpdated - b.lastUpdated);
  const keyOf = new Map(told.filter(({ key }) => key).map(({ ref, key }) => [ref, key]));
  const taken = new Set(observations.flatMap(({ wrote }) => wrote.map(({ ref, version }) => `${ref}#${version}`)));
  for (const observation of observations.toSorted((a, b) => a.clock[1] - b.clock[1])) {
    const { deletedKey, clock } = observation;
    if (!deletedKey) continue;
    const deletion = oldestFirst.find(
      ({ ref, version, isDelete, lastUpdated }) =>
        isDelete &&
        version === deletedKey.version &&
        keyOf.get(ref) === deletedKey.key &&
        !taken.has(`${ref}#${version}`) &&
        lastUpdated >= clock[0] - clockSlackMs &&
        lastUpdated <= clock[1] + clockSlackMs,
    );
    if (!deletion) throw new Error(`${observation.name} deleted nothing the history tells of`);
    taken.add(`${deletion.ref}#${deletion.version}`);
    observation.wrote.push({ ref: deletion.ref, version: deletion.version, isDelete: true });
  }
}

/** Milliseconds are cut off in `lastUpdated`, and two clocks of one machine are read. */
const clockSlackMs = 20;

async function versionsIn(client: HttpClient, first: string): Promise<Told[]> {
  const told: Told[] = [];
  for (let path: string | undefined = first; path; ) {
    const { status, text } = await client.send({ method: 'GET', path });
    if (status !== 200) throw new Error(`${path} was answered ${status}`);
    const page = JSON.parse(text) as Bundle<Patient>;
    for (const { fullUrl, resource, response } of page.entry ?? []) {
      const ref = fullUrl!.split('/').slice(-2).join('/');
      if (!ref.startsWith('Patient/')) continue;
      told.push({
        ref,
        version: Number(/"(\d+)"/.exec(response!.etag!)![1]),
        isDelete: resource === undefined,
        lastUpdated: Date.parse(response!.lastModified!),
        ...(resource
          ? {
              token: resource.name![0]!.text!,
              count: resource.multipleBirthInteger!,
              text: JSON.stringify(resource),
              ...(resource.identifier ? { key: resource.identifier[0]!.value! } : {}),
            }
          : {}),
      });
    }
    const next: string | undefined = page.link?.find(({ relation }) => relation === 'next')?.url;
    path = next?.replace(/^.*?\/fhir\//, '');
  }
  return told;
}

function sameVersions(road: string, expected: readonly Told[], found: readonly Told[]): string[] {
  const names = (list: readonly Told[]) =>
    list.map(({ ref, version, text = '' }) => `${ref}#${version} ${text}`).sort();
  const [all, other] = [names(expected), names(found)];
  return all.length === other.length && all.every((name, index) => name === other[index])
    ? []
    : [`the ${road} tells ${other.length} versions, not the same ${all.length}`];
}
