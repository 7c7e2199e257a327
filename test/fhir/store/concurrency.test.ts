import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import type { RestStore, RestTransaction } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

const callers = 32;
let database: Database;
let store: RestStore;
const inTransaction = <T>(work: (tx: RestTransaction) => Promise<T>) => store.restTransaction(contextOf('aa'), work);
const inParallel = <T>(work: (tx: RestTransaction, n: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: callers }, (_, n) => inTransaction((tx) => work(tx, n))));
const patient = (value: string): Patient => ({ resourceType: 'Patient', identifier: [{ system: 'urn:x', value }] });

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
});
afterAll(() => database.close());

function outcomes<T>(results: PromiseSettledResult<T>[]): { kept: T[]; refused: unknown[] } {
  return {
    kept: results.filter((result) => result.status === 'fulfilled').map(({ value }) => value),
    refused: results.filter((result) => result.status === 'rejected').map(({ reason }) => reason),
  };
}

describe('32 callers at once', () => {
  it('creating the same identifier unless it exists leave one resource, and all get it', async () => {
    const { kept } = outcomes(await inParallel((tx) => tx.createIfNone(patient('once'), 'identifier=urn:x|once')));
    expect(kept).toHaveLength(callers);
    expect(kept.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(kept.map(({ resource }) => resource.id)).size).toBe(1);
    expect(await store.search('aa', 'Patient', 'identifier=urn:x|once')).toHaveLength(1);
  });

  it('spelling the same criteria differently still leave one resource', async () => {
    const spellings = [
      'identifier=urn:x|spelt&active=true',
      'identifier=urn%3Ax%7Cspelt&active=true',
      'active=true&identifier=urn:x%7Cspelt',
    ];
    const resource: Patient = { ...patient('spelt'), active: true };
    const { kept } = outcomes(await inParallel((tx, n) => tx.createIfNone(resource, spellings[n % 3]!)));
    expect(kept).toHaveLength(callers);
    expect(kept.filter(({ created }) => created)).toHaveLength(1);
  });

  it('creating under the same id leave one winner', async () => {
    const { kept, refused } = outcomes(await inParallel((tx) => tx.create({ ...patient('id'), id: 'same-id' })));
    expect(kept).toHaveLength(1);
    expect(refused.every((error) => error instanceof FhirError && error.status === 409)).toBe(true);
  });

  it('putting the same new id all leave a version', async () => {
    const { kept } = outcomes(await inParallel((tx) => tx.update({ ...patient('put'), id: 'same-put' })));
    const versions = kept.map(({ meta }) => Number(meta?.versionId)).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: callers }, (_, n) => n + 1));
    const { entries } = await store.reads('aa').history({ type: 'Patient', id: 'same-put' }, { count: 100 });
    expect(entries.map(({ version }) => version)).toEqual(versions.toReversed());
  });

  it('updating from the same version leave one winner; the others are told', async () => {
    const made = await inTransaction((tx) => tx.create(patient('race')));
    const { kept, refused } = outcomes(await inParallel((tx) => tx.update(made, { ifMatch: 'W/"1"' })));
    expect(kept).toHaveLength(1);
    expect(refused.every((error) => error instanceof FhirError && error.status === 412)).toBe(true);
    expect((await store.read('aa', 'Patient', made.id)).meta?.versionId).toBe('2');
  });

  it('updating by criteria create one and then update it', async () => {
    const { kept } = outcomes(await inParallel((tx) => tx.updateIfOne(patient('upsert'), 'identifier=urn:x|upsert')));
    expect(kept.filter(({ created }) => created)).toHaveLength(1);
    expect(await store.search('aa', 'Patient', 'identifier=urn:x|upsert')).toMatchObject([
      { meta: { versionId: String(callers) } },
    ]);
  });

  it('holding the same lock work one after the other', async () => {
    let inside = 0;
    let most = 0;
    await inParallel(async (tx) => {
      await tx.lock('bottleneck');
      most = Math.max(most, ++inside);
      await tx.search('Patient', '_count=1');
      inside--;
    });
    expect(most).toBe(1);
  });

  it('creating in groups fail or succeed each on its own', async () => {
    const checking = await createFhirStore({ database, checkReferences: true });
    const results = await Promise.allSettled(
      Array.from({ length: callers }, (_, n) =>
        checking.transaction(contextOf('aa'), (tx) =>
          tx.create<Patient>({
            resourceType: 'Patient',
            name: [{ family: `GROUPE-${n}` }],
            ...(n % 8 === 0 ? { managingOrganization: { reference: 'Organization/nowhere' } } : {}),
          }),
        ),
      ),
    );
    const { kept, refused } = outcomes(results);
    expect(kept).toHaveLength(callers - 4);
    expect(refused).toHaveLength(4);
    expect(await store.search('aa', 'Patient', 'family=groupe&_count=100')).toHaveLength(callers - 4);
  });
});

describe('two transactions that want each other’s resources', () => {
  it('do not wait for ever: one goes through, the other is asked to try again', async () => {
    const [a, b] = await inTransaction(async (tx) => [await tx.create(patient('a')), await tx.create(patient('b'))]);
    const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const both = Promise.all(met.map(({ promise }) => promise));
    const crossing = (first: typeof a, second: typeof a, n: 0 | 1) =>
      inTransaction(async (tx) => {
        await tx.update(first!);
        met[n].resolve();
        await both;
        await tx.update(second!);
      });
    const { kept, refused } = outcomes(await Promise.allSettled([crossing(a, b, 0), crossing(b, a, 1)]));
    expect(kept).toHaveLength(1);
    expect(refused).toMatchObject([{ status: 409, code: '40P01' }]);
  });
});

describe('criteria of a conditional write', () => {
  it('that match several resources are refused', async () => {
    await inTransaction((tx) => tx.create({ ...patient('twin') }));
    await inTransaction((tx) => tx.create({ ...patient('twin') }));
    await expect(
      inTransaction((tx) => tx.createIfNone(patient('twin'), 'identifier=urn:x|twin')),
    ).rejects.toMatchObject({ status: 412 });
    await expect(inTransaction((tx) => tx.updateIfOne(patient('twin'), 'identifier=urn:x|twin'))).rejects.toMatchObject(
      { status: 412 },
    );
  });

  it.each(['', '_count=1', '_sort=_id'])('that say nothing (%j) are refused', async (criteria) => {
    await expect(inTransaction((tx) => tx.createIfNone(patient('any'), criteria))).rejects.toMatchObject({
      status: 412,
    });
  });

  it('find what the same transaction just created', async () => {
    await inTransaction(async (tx) => {
      const { resource } = await tx.createIfNone(patient('own-write'), 'identifier=urn:x|own-write');
      const again = await tx.createIfNone(patient('own-write'), 'identifier=urn:x|own-write');
      expect(again).toMatchObject({ created: false, resource: { id: resource.id } });
    });
  });

  it('must agree with the id of the resource', async () => {
    const other = { ...patient('own-write'), id: 'another-id' };
    await expect(inTransaction((tx) => tx.updateIfOne(other, 'identifier=urn:x|own-write'))).rejects.toMatchObject({
      status: 400,
    });
  });
});
