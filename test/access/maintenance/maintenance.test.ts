import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recorded } from '../../../src/access/maintenance/index.ts';
import { maintenanceReport } from '../../../src/access/maintenance/report.ts';
import { announce, closeWindow, findWindow, openWindow } from '../../../src/access/maintenance/window.ts';
import type { Actor } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../support.ts';

const helper: Actor = {
  reference: 'Practitioner/aide',
  display: 'LEO TEST-MAINTENANCE',
  account: 'leo',
  kind: 'person',
  roles: ['support'],
};

describe('a window of remote maintenance', () => {
  let rig: Rig;
  const announcement = () => ({
    tenant: 'aa',
    login: 'leo',
    person: 'LEO TEST-MAINTENANCE',
    company: 'Éditeur SA',
    reason: 'Correction du filtre des arrivées',
    startsAt: new Date(rig.clock.now().getTime() + 3_600_000),
    endsAt: new Date(rig.clock.now().getTime() + 7_200_000),
    announcedBy: 'exploitation',
  });

  beforeAll(async () => {
    rig = await openRig();
    await rig.database.query(
      'aa',
      `INSERT INTO account (tenant, login, kind, reference, display, roles, created_at)
       VALUES ('aa', 'leo', 'person', 'Practitioner/aide', 'LEO TEST-MAINTENANCE', '{support}', now()),
         ('aa', 'noa', 'person', 'Practitioner/noa', 'NOA TEST', '{radiologist}', now())`,
    );
  });
  afterAll(() => rig.close());

  it('is announced before, for an account of support, with a reason and an end', async () => {
    const good = announcement();
    const now = rig.clock.now();
    const refused = (change: Partial<typeof good>) => announce(rig.database, { ...good, ...change }, now);
    await expect(refused({ login: 'noa' })).rejects.toThrow('rôle support');
    await expect(refused({ tenant: 'bb' })).rejects.toThrow('rôle support');
    await expect(refused({ reason: ' ' })).rejects.toThrow('reason');
    await expect(refused({ startsAt: new Date(now.getTime() - 1) })).rejects.toThrow('avant de commencer');
    await expect(refused({ endsAt: good.startsAt })).rejects.toThrow('24 heures');
    await expect(refused({ endsAt: new Date(good.startsAt.getTime() + 25 * 3_600_000) })).rejects.toThrow('24 heures');
  });

  it('opens and ends by the clock, and its report tells every command and every request', async () => {
    const { database, clock, store, access } = rig;
    const id = await announce(database, announcement(), clock.now());
    const open = () => openWindow(database, 'aa', 'leo', clock.now());
    expect(await open()).toBeUndefined();
    clock.advance(3_600_000);
    expect((await open())?.id).toBe(id);
    expect(await openWindow(database, 'bb', 'leo', clock.now())).toBeUndefined();

    const where = { tenant: 'aa', window: id };
    expect(
      await recorded(
        database,
        where,
        'deliveries list',
        () => clock.now(),
        async () => 0,
      ),
    ).toBe(0);
    const failing = recorded(
      database,
      where,
      'migrate',
      () => clock.now(),
      () => Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow('no');
    await access.auditRead(rig.context(helper, 'read'), {
      resources: [],
      target: { type: 'Device', id: 'ris' },
      outcome: 'refused',
    });
    clock.advance(60_000);

    await expect(closeWindow(database, 'aa', id, { report: '', closedBy: 'chef', at: clock.now() })).rejects.toThrow(
      'report',
    );
    await closeWindow(database, 'aa', id, { report: 'Filtre corrigé.', closedBy: 'chef', at: clock.now() });
    expect(await open()).toBeUndefined();
    const again = closeWindow(database, 'aa', id, { report: 'encore', closedBy: 'chef', at: clock.now() });
    await expect(again).rejects.toThrow('aucune fenêtre ouverte');

    const report = await maintenanceReport({ database, store }, (await findWindow(database, 'aa', id))!);
    expect(report).toContain('LEO TEST-MAINTENANCE (Éditeur SA), compte leo');
    expect(report).toContain('`deliveries list`, code 0');
    expect(report).toContain('`migrate`, code 1');
    expect(report).toContain('`Device/ris`, refusée ou échouée (8)');
    expect(report).toContain('Filtre corrigé.');
  });

  it('leaves entries the application cannot rewrite', async () => {
    await expect(rig.database.query('aa', "UPDATE maintenance_entry SET command = 'rien'")).rejects.toMatchObject({
      code: '42501',
    });
    await expect(rig.database.query('aa', 'DELETE FROM maintenance_entry')).rejects.toMatchObject({ code: '42501' });
    await expect(rig.database.query('aa', 'DELETE FROM maintenance_window')).rejects.toMatchObject({ code: '42501' });
  });
});
