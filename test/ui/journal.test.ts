import type { AuditEvent } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { journalQuery } from '../../src/ui/audit/journal-query.ts';
import { auditLine } from '../../src/ui/audit/sentence.ts';
import { mayRead, maySeeImages, taskIncludes } from '../../src/ui/session/rights.ts';

const event = (code: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  resourceType: 'AuditEvent',
  id: 'e',
  type: { code: 'rest' },
  subtype: [{ code }],
  recorded: '2026-11-22T02:30:00Z',
  outcome: '0',
  agent: [
    { requestor: false, who: { display: 'navigateur' }, network: { address: '192.0.2.1', type: '2' } },
    { requestor: true, who: { reference: 'Practitioner/radiologue', display: 'Dr NOA TEST' } },
  ],
  source: { observer: {} },
  ...more,
});

describe('the journal', () => {
  it('tells an event as a sentence, the patients apart, and nothing of the request id', () => {
    const line = auditLine(
      event('operation:Task/$sign', {
        entity: [
          { what: { reference: 'Task/12/_history/3' } },
          { what: { reference: 'Patient/7' } },
          { what: { identifier: { value: 'req-1' } }, type: { code: 'XrequestId' } },
        ],
      }),
    );
    expect(line).toMatchObject({
      who: 'Dr NOA TEST',
      sentence: 'a signé le dossier 12',
      patients: ['Patient/7'],
      from: '192.0.2.1',
      outcome: 'success',
    });
  });

  it('says how many objects it does not name, and shows a search as it was asked', () => {
    const references = [1, 2, 3, 4, 5].map((id) => ({ what: { reference: `Task/${id}` } }));
    expect(auditLine(event('read', { entity: references })).sentence).toBe(
      'a consulté le dossier 1, le dossier 2, le dossier 3 et 2 autres',
    );
    const query = Buffer.from('Task?code=a%7Cb').toString('base64');
    expect(auditLine(event('search-type', { entity: [{ query }] })).sentence).toBe(
      'a recherché parmi les dossiers (rien de servi)',
    );
  });

  it('tells refusals from failures', () => {
    expect(auditLine(event('read', { outcome: '8' })).sentence).toBe('refusé : a consulté');
    expect(auditLine(event('read', { outcome: '4' })).outcome).toBe('failed');
    expect(auditLine(event('110122', { outcome: '4' })).outcome).toBe('refused');
  });

  it('searches by reference, actor and days', () => {
    const fields = { about: '', actor: '', kind: '', problems: false, from: '', to: '' };
    expect(journalQuery(fields)).toBe('_sort=-date&_count=500');
    expect(
      journalQuery({ ...fields, about: ' abc-1 ', actor: 'Practitioner/x', from: '2026-11-01', to: '2026-11-02' }),
    ).toBe('patient=Patient%2Fabc-1&agent=Practitioner%2Fx&date=ge2026-11-01&date=le2026-11-02&_sort=-date&_count=500');
    expect(journalQuery({ ...fields, about: 'Task/9' })).toContain('entity=Task%2F9');
    expect(journalQuery({ ...fields, kind: 'signatures', problems: true })).toBe(
      'subtype=attest&outcome=4%2C8%2C12&_sort=-date&_count=500',
    );
  });

  it('tells what operators did, why data were used, and in an emergency the reason', () => {
    const operator = event('110132', { subtype: [{ code: '110132' }, { code: 'operator:messages-show' }] });
    expect(auditLine(operator).sentence).toBe('a lancé la commande « messages-show »');
    const emergency = auditLine(
      event('110127', {
        outcomeDesc: 'patient inconscient',
        purposeOfEvent: [{ coding: [{ code: 'BTG' }] }],
        entity: [{ what: { reference: 'Task/9' } }, { what: { reference: 'Patient/7' } }],
      }),
    );
    expect(emergency).toMatchObject({
      sentence: 'a ouvert un accès d’urgence (bris de glace) sur le dossier 9',
      purpose: 'bris de glace',
      reason: 'patient inconscient',
      patients: ['Patient/7'],
      objects: ['Task/9'],
    });
  });
});

describe('what a role is asked for', () => {
  const session = (...roles: string[]) => ({
    tenant: 'demo',
    account: 'a',
    display: 'A',
    reference: 'Practitioner/a',
    roles,
  });

  it('never includes what it may not read', () => {
    expect(taskIncludes(session('quality'))).toBe('_include=Task:focus&_include=Task:requester&_include=Task:owner');
    expect(taskIncludes(session('radiologist'))).toContain('Task:patient');
    expect(mayRead(session('coordinator'), 'DiagnosticReport')).toBe(false);
    expect(mayRead(session('auditor'), 'Patient')).toBe(false);
    expect([maySeeImages(session('coordinator')), maySeeImages(session('coordinator', 'technologist'))]).toEqual([
      false,
      true,
    ]);
  });
});
