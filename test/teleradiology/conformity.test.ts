import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resourceTypesOf } from '../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../src/fhir/definitions/structure-r4.ts';
import { inspectResource } from '../../src/fhir/validation/index.ts';
import { complete, exam, fresh, person, report, request, send, study, uid } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const base = 'https://fhir.passerelle.example/StructureDefinition/';

/** The profile of ours a resource of a signed case is about, declared or not. */
function profileOf(resource: Resource): string[] {
  if (resource.resourceType === 'Task' && !resource.partOf) return [`${base}teleradiology-case`];
  if (resource.resourceType === 'ServiceRequest') return [`${base}teleradiology-request`];
  if (resource.resourceType === 'DiagnosticReport') return [`${base}imaging-report`];
  return resource.resourceType === 'DocumentReference' ? [`${base}report-document`] : [];
}

it('everything a case leaves, from request to signed report, conforms to R4, to our profiles and to BALP', async () => {
  const who = person();
  const number = `DEM-${fresh()}`;
  const studyUid = uid();
  const { task } = await send(world, request(who, {}, number));
  await world.operate('radiologist', 'protocol', task.id, { text: ['TDM sans injection'] });
  await complete(world, [exam(who, number, studyUid)]);
  await world.images(study(who, studyUid), { '1.1': 20 });
  world.clock.pass(5_000);
  await world.room.sweep();
  await world.operate('radiologist', 'claim', task.id);
  await world.operate('radiologist', 'displayed', task.id, { series: ['1.1'] });
  await world.operate('radiologist', 'phone-exchange', task.id, { summary: 'Prévenu', with: 'Dr ALIX' });
  await world.operate('radiologist', 'save-draft', task.id, { conclusion: 'À finir' });
  const [draft] = await world.store.search(tenant, 'DiagnosticReport', 'status=partial');
  await world.operate('radiologist', 'sign', task.id, report);
  await world.outcome(world.queued.at(-1)!, { status: 'delivered', evidence: 'MSA|AA|1' });

  const found: string[] = [];
  const types = new Set<string>();
  for (const type of resourceTypesOf(r4Structure) as ResourceType[]) {
    const resources = (await world.store.search(tenant, type, '_count=500')) as Resource[];
    for (const resource of type === 'DiagnosticReport' ? [...resources, draft!] : resources) {
      types.add(type);
      const { issues } = inspectResource(resource, { profiles: profileOf(resource) });
      const bad = issues.filter(({ severity, code }) => severity === 'error' || code === 'not-found');
      found.push(...bad.map(({ diagnostics }) => `${diagnostics}`));
    }
  }
  expect(found).toEqual([]);
  for (const type of ['Task', 'ServiceRequest', 'DiagnosticReport', 'DocumentReference', 'ImagingStudy', 'Provenance'])
    expect(types).toContain(type);
});
