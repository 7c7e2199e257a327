import type { Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Mllp, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { systemClock } from '../../../src/config/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { answer, render } from '../../fixtures/hl7v2/messages.ts';
import { establishment, listen, openHospital, segment, tenant } from './hospital.ts';
import { recordingTeleradiology } from './recording-teleradiology.ts';

let rooms: Awaited<ReturnType<typeof openHospital>>;
let mllp: Mllp;
beforeAll(async () => {
  rooms = await openHospital();
});
afterAll(() => rooms.database.close());
beforeEach(async () => {
  mllp = await listen(rooms, recordingTeleradiology());
});
afterEach(() => mllp.close());

/** A request of that establishment, for the patient known there by that number. */
function known(placer: string, ipp: string, requester = establishment): Promise<string> {
  return rooms.store.transaction(systemContext(tenant, 'system:test', systemClock), async (tx) => {
    const patient = await tx.create<Patient>({
      resourceType: 'Patient',
      identifier: [{ system: 'https://fhir.passerelle.example/sid/ipp/590099991', value: ipp }],
    });
    const request = await tx.create<ServiceRequest>({
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      identifier: [{ system: 'urn:oid:2.999.59.10', value: placer }],
      subject: { reference: `Patient/${patient.id}` },
    });
    await tx.create<Task>({
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      focus: { reference: `ServiceRequest/${request.id}` },
      requester: { reference: `Organization/${requester}` },
    });
    return `ServiceRequest/${request.id}`;
  });
}

const send = (controlId: string, placer: string, ipp: string) =>
  sendMessage({ host: '127.0.0.1', port: mllp.port }, Buffer.from(render(answer({ controlId, placer, ipp }))));
const recorded = (reference: string) => rooms.store.search(tenant, 'Communication', `based-on=${reference}`);

describe('the answer of another platform', () => {
  it('is kept beside the request it names', async () => {
    const reference = await known('DEM-A1', 'A1');
    expect(segment(await send('ANS-A1', 'DEM-A1', 'A1'), 'MSA')).toEqual(['MSA', 'AA', 'ANS-A1']);
    expect(await recorded(reference)).toMatchObject([{ about: [{ reference }] }]);
  });

  it('about another patient than the request’s is refused: its protocol would be followed for the wrong person', async () => {
    const reference = await known('DEM-A2', 'A2');
    // The INS of the message is the fixtures’ own, which this patient does not have.
    const refused = await send('ANS-A2', 'DEM-A2', 'SOMEBODY-ELSE');
    expect(segment(refused, 'MSA')[1]).toBe('AE');
    expect(segment(refused, 'ERR').slice(2, 4)).toEqual(['PID^1^3', expect.stringMatching(/^207\^/)]);
    expect(await recorded(reference)).toEqual([]);
  });

  it('about the request of another establishment is answered as an unknown one', async () => {
    const reference = await known('DEM-A3', 'A3', 'ch-voisin');
    const refused = await send('ANS-A3', 'DEM-A3', 'A3');
    expect(segment(refused, 'ERR')[3]).toMatch(/^204\^/);
    expect(await recorded(reference)).toEqual([]);
  });
});
