import type { Basic } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendAlerts } from '../../../src/access/incidents/alerts.ts';
import { lookAtClocks } from '../../../src/access/incidents/clock-drift.ts';
import {
  createIncidents,
  type Incidents,
  incidentKindSystem,
  incidentOf,
} from '../../../src/access/incidents/index.ts';
import { createRecorder } from '../../../src/access/incidents/record.ts';
import { incidentResource } from '../../../src/access/incidents/resource.ts';
import { systemClock } from '../../../src/config/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { testDatabase } from '../../support/database.ts';
import { fakeClock, noa } from '../support.ts';

describe('security incidents', () => {
  const clock = fakeClock();
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: Awaited<ReturnType<typeof createFhirStore>>;
  let incidents: Incidents;

  beforeAll(async () => {
    database = await testDatabase();
    store = await createFhirStore({ database, checkReferences: false });
    incidents = createIncidents({ database, store, clock, securityClock: clock });
  });
  afterAll(async () => {
    await incidents.close();
    await database.close();
  });

  const recorded = async (tenant: string): Promise<Basic[]> =>
    store.search(tenant, 'Basic', `code=${incidentKindSystem}|&_sort=_lastUpdated`);

  it('become one resource per subject and day, valid by its profile, that counts on', async () => {
    const record = createRecorder({ store, clock, securityClock: clock });
    const occurrence = { kind: 'brute-force', subject: 'account noa', account: 'noa', times: 10 } as const;
    const first = await record('aa', occurrence);
    clock.advance(3_600_000);
    expect(await record('aa', { ...occurrence, times: 90 })).toEqual({ id: first.id, alerted: true });
    expect(await record('aa', { ...occurrence, times: 1 })).toEqual({ id: first.id, alerted: false });
    const [resource, ...others] = await recorded('aa');
    expect(others).toEqual([]);
    expect(incidentOf(resource!)).toMatchObject({
      kind: 'brute-force',
      occurrences: 101,
      status: 'open',
      account: 'noa',
    });
    clock.advance(25 * 3_600_000);
    expect((await record('aa', occurrence)).id).not.toBe(first.id);
    expect(await recorded('bb')).toEqual([]);
  });

  it('seen by two nodes at once are one incident', async () => {
    const record = createRecorder({ store, clock, securityClock: clock });
    const occurrence = { kind: 'malware', subject: 'attachment 1' } as const;
    const made = await Promise.all(Array.from({ length: 8 }, () => record('bb', occurrence)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(incidentOf((await recorded('bb'))[0]!)?.occurrences).toBe(8);
  });

  it('are sent by e-mail in French, again after a refusal of the mail server, and once only', async () => {
    const sent: { to: string; subject: string; text: string }[] = [];
    let isDown = true;
    const options = {
      database,
      store,
      clock,
      recipients: ['rssi@hopital.example', 'astreinte@hopital.example'],
      baseUrl: () => 'https://passerelle.test',
      mailer: {
        async send(mail: { to: string; subject: string; text: string }) {
          if (isDown) throw new Error('451');
          sent.push(mail);
        },
      },
    };
    expect(await sendAlerts(options)).toBe(0);
    isDown = false;
    expect(await sendAlerts(options)).toBe(0);
    clock.advance(61_000);
    const left = await sendAlerts(options);
    expect(left).toBeGreaterThan(0);
    expect(sent).toHaveLength(left * 2);
    expect(await sendAlerts(options)).toBe(0);
    const [mail] = sent.filter(({ subject }) => subject.includes('mots de passe'));
    expect(mail).toMatchObject({ to: 'rssi@hopital.example' });
    expect(mail?.text).toContain('Compte : noa');
    expect(mail?.text).toContain('https://passerelle.test/fhir/Basic/');
  });

  it('are written by the platform alone; people close them with a word and change nothing else', async () => {
    const [resource] = (await recorded('bb')) as (Basic & { id: string })[];
    const incident = incidentOf(resource!)!;
    const key = resource!.identifier![0]!.value!;
    const context = { tenant: 'bb', actor: noa, requestId: 'r', interaction: 'update', now: () => clock.now() };
    const put = (changed: Basic) => store.transaction(context, (tx) => tx.update({ ...changed, id: resource!.id }));
    const create = store.transaction(context, (tx) => tx.create(incidentResource(incident, key)));
    await expect(create).rejects.toMatchObject({ status: 422 });
    await expect(store.transaction(context, (tx) => tx.delete('Basic', resource!.id))).rejects.toMatchObject({
      status: 422,
    });
    await expect(
      put(incidentResource({ ...incident, occurrences: 1, status: 'closed', handling: 'vu' }, key)),
    ).rejects.toMatchObject({ status: 422 });
    await expect(put(incidentResource({ ...incident, status: 'closed' }, key))).rejects.toMatchObject({ status: 422 });
    await expect(put({ resourceType: 'Basic', code: { text: 'autre' } })).rejects.toMatchObject({ status: 422 });
    const closed = await put(incidentResource({ ...incident, status: 'closed', handling: 'Poste nettoyé.' }, key));
    expect(incidentOf(closed)).toMatchObject({ status: 'closed', handling: 'Poste nettoyé.' });
  });

  it('come of a series of refused sign-ins by themselves', async () => {
    for (let n = 0; n < 10; n++) {
      incidents.observe('aa', { at: clock.now(), account: 'zoe', what: 'sign-in-refused', network: '192.0.2.9' });
    }
    await incidents.close();
    const found = (await recorded('aa'))
      .map((resource) => incidentOf(resource))
      .filter((one) => one?.account === 'zoe');
    expect(found).toEqual([expect.objectContaining({ kind: 'brute-force', occurrences: 10, network: '192.0.2.9' })]);
  });

  it('tell of a clock that differs from the database’s or jumps', async () => {
    const fine = await lookAtClocks(database, systemClock, undefined);
    expect(fine.occurrence).toBeUndefined();
    const slow = { now: () => new Date(Date.now() - 10_000) };
    expect((await lookAtClocks(database, slow, undefined)).occurrence).toMatchObject({
      kind: 'clock-drift',
      subject: 'database',
    });
    const before = { wall: fine.marks.wall - 3_600_000, steady: fine.marks.steady };
    expect((await lookAtClocks(database, systemClock, before)).occurrence).toMatchObject({ subject: 'jump' });
  });
});
