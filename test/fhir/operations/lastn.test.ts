import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namesIn, type OperationServer, operationServer } from './server.ts';

let server: OperationServer;
const observation = (id: string, text: string, day: number, patient = 'a'): Resource & { id: string } => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: `2026-01-0${day}`,
});

beforeAll(async () => {
  server = await operationServer();
  await server.put(
    { resourceType: 'Patient', id: 'a' },
    { resourceType: 'Patient', id: 'b' },
    observation('weight-1', 'weight', 1),
    observation('weight-2', 'weight', 2),
    observation('weight-3', 'weight', 3),
    observation('height-1', 'height', 1),
    observation('other', 'weight', 4, 'b'),
  );
});
afterAll(() => server.close());

describe('Observation/$lastn', () => {
  it('answers the latest of each kind', async () => {
    const one = await server.get('/fhir/Observation/$lastn?patient=Patient/a');
    expect(namesIn(one.body)).toEqual(['Observation/weight-3', 'Observation/height-1']);
    const two = await server.get('/fhir/Observation/$lastn?subject=Patient/a&max=2&status=final');
    expect(namesIn(two.body).sort()).toEqual(['Observation/height-1', 'Observation/weight-2', 'Observation/weight-3']);
  });

  it.each([
    'patient:Patient._has:AuditEvent:entity:agent=Practitioner/x',
    '_has:AuditEvent:entity:agent=Practitioner/x',
    'performer:Practitioner.family=x',
    '_filter=patient.family eq x',
    '_list=x',
    '_include=*',
  ])('refuses %s: it looks into what is not its own', async (criterion) => {
    const answer = await server.get(encodeURI(`/fhir/Observation/$lastn?patient=Patient/a&${criterion}`));
    expect(answer).toMatchObject({ status: 400, body: { issue: [{ code: 'not-supported' }] } });
  });
});
