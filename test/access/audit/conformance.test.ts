/** Whatever is recorded, its AuditEvent is valid FHIR and conforms to the BALP profile it declares. */
import type { AuditEvent, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { activityKinds } from '../../../src/access/audit/activity.ts';
import { auditEvent } from '../../../src/access/audit/event.ts';
import { patientsOf } from '../../../src/access/audit/patient.ts';
import {
  type AuditRecord,
  activityRecord,
  authenticationRecord,
  readRecord,
  refusalRecord,
  writeRecord,
} from '../../../src/access/audit/record.ts';
import type { Actor, Change, Context } from '../../../src/fhir/index.ts';
import { inspectResource } from '../../../src/fhir/validation/index.ts';

const at = new Date('2026-03-01T08:00:00Z');
const site = { address: 'http://passerelle.test', networkType: '5' as const };

/** What callers choose: anything a header or an address can hold, blanks, controls and nothing at all among it. */
const chosen = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\u00a0', '\u0085', '\ufeff', 'a\u0000b', 'a\ufffeb', 'été', 'a'.repeat(300)),
);
const actor: fc.Arbitrary<Actor> = fc.record({
  reference: fc.constantFrom('', 'Practitioner/noa', 'Device/ris', 'Device/passerelle'),
  display: chosen,
  account: chosen,
  kind: fc.constantFrom('person', 'machine', 'system'),
  roles: fc.array(fc.constantFrom('radiologist', 'auditor', 'ris', 'system', 'own role'), { maxLength: 3 }),
});
const interactions = [
  ...[
    'read',
    'vread',
    'search-type',
    'search-system',
    'history-instance',
    'history-system',
    'create',
    'update',
    'patch',
  ],
  ...['delete', 'transaction', 'batch', 'capabilities', 'operation:Task/$sign', 'operation:$export', 'hl7v2:ORM^O01'],
  ...[
    'hl7v2:report-mdm',
    'dicomweb:wado',
    'dicomweb:qido',
    'dicomweb:stow',
    'dimse:c-store',
    'delivery:mail',
    'system:deadline',
  ],
  ...['operator:messages show', 'tenants:cross-tenant'],
];
const context: fc.Arbitrary<Context> = fc
  .record({ actor, interaction: fc.constantFrom(...interactions), requestId: chosen, network: fc.option(chosen) })
  .chain(({ network, ...rest }) =>
    fc.constantFrom(undefined, 'BTG').map((purpose) => ({
      ...{ tenant: 'aa', ...rest, now: () => at },
      ...(network === null ? {} : { network }),
      ...(purpose ? { purpose } : {}),
    })),
  );
const types = ['Patient', 'Task', 'ImagingStudy', 'Binary', 'AuditEvent', 'Basic'] as const;
const resource = fc.record({
  resourceType: fc.constantFrom(...types),
  id: fc.stringMatching(/^[A-Za-z0-9.-]{1,64}$/),
  meta: fc.option(fc.record({ versionId: fc.constant('3') }), { nil: undefined }),
  subject: fc.option(fc.record({ reference: fc.constant('Patient/p1') }), { nil: undefined }),
});
const outcome = fc.constantFrom('success' as const, 'refused' as const, 'failed' as const);
const target = fc.record({ type: chosen, id: chosen });

const reads = fc
  .tuple(
    context,
    fc.array(resource, { maxLength: 60 }),
    fc.option(chosen, { nil: undefined }),
    fc.option(target, { nil: undefined }),
    outcome,
  )
  .map(([who, resources, query, asked, came]) =>
    readRecord(
      who,
      {
        resources: resources as never,
        outcome: came,
        ...(query === undefined ? {} : { query }),
        ...(asked ? { target: asked } : {}),
      },
      site,
      (resources as Resource[]).flatMap((resource) => patientsOf(resource, site.address)),
    ),
  );
const change = fc
  .tuple(fc.constantFrom('create' as const, 'update' as const, 'delete' as const), resource)
  .map(
    ([interaction, one]) =>
      ({ interaction, type: one.resourceType, id: one.id, version: 2, before: one, after: one }) as unknown as Change,
  );
const patientsChanged = ({ after }: Change) => patientsOf(after as Resource, site.address);
const writes = fc
  .tuple(context, fc.array(change, { minLength: 1, maxLength: 60 }))
  .map(([who, changes]) => writeRecord(who, changes, site, changes.flatMap(patientsChanged), () => 'content'));
const refusals = fc
  .tuple(
    context,
    fc.constantFrom(...interactions),
    fc.option(target, { nil: undefined }),
    fc.option(chosen, { nil: undefined }),
  )
  .map(([who, interaction, asked, operation]) =>
    refusalRecord(who, { interaction, ...asked, ...(operation === undefined ? {} : { operation }) }, site),
  );
const signIns = fc
  .tuple(
    context,
    fc.constantFrom('login' as const, 'logout' as const),
    fc.constantFrom('success' as const, 'refused' as const),
    chosen,
  )
  .map(([who, kind, came, reason]) => authenticationRecord(who, { kind, outcome: came, reason }, site));
const activities = fc
  .tuple(
    context,
    fc.constantFrom(...activityKinds),
    outcome,
    chosen,
    fc.array(fc.constantFrom('Task/t1', 'Patient/p1'), { maxLength: 60 }),
    fc.dictionary(chosen, chosen, { maxKeys: 3 }),
  )
  .map(([who, kind, came, reason, objects, details]) =>
    activityRecord(who, { kind, outcome: came, reason, objects, patients: ['Patient/p1'], details }, site),
  );

/** As it lies in the journal. */
const stored = (record: AuditRecord) => JSON.parse(JSON.stringify(record)) as AuditRecord;

const errorsOf = (event: AuditEvent) =>
  inspectResource(event).issues.filter(({ severity, code }) => severity === 'error' || code === 'not-found');

test('what was asked of a type that is none is told as it was asked', () => {
  const noa: Actor = { reference: 'Practitioner/noa', display: 'Noa', account: 'noa', kind: 'person', roles: [] };
  const who: Context = { tenant: 'aa', actor: noa, interaction: 'read', requestId: 'r', now: () => at };
  const record = refusalRecord(who, { interaction: 'read', type: 'AA', id: '-' }, site);
  const event = auditEvent(stored(record), at);
  expect(event.entity?.[0]?.what).toEqual({ identifier: { value: 'AA/-' } });
  expect(errorsOf(event)).toEqual([]);
});

test.each([
  ['reads and searches', reads],
  ['writes', writes],
  ['refusals', refusals],
  ['sign-ins', signIns],
  ['other acts', activities],
] as [string, fc.Arbitrary<AuditRecord>][])('events of %s are valid, whatever was sent', (_name, records) => {
  fc.assert(
    fc.property(records, (record) => {
      const event: AuditEvent = auditEvent(stored(record), at);
      expect(errorsOf(event), JSON.stringify(event)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('an event says why data were used: what the role implies, unless it was an emergency', () => {
  const said = (roles: string[], purpose?: string) => {
    const who: Context = {
      tenant: 'aa',
      actor: { reference: 'Practitioner/noa', display: 'Noa', account: 'noa', kind: 'person', roles },
      ...{ requestId: 'r', interaction: 'read', now: () => at },
      ...(purpose ? { purpose } : {}),
    };
    return auditEvent(readRecord(who, { resources: [], outcome: 'success' }, site, []), at).purposeOfEvent?.[0]
      ?.coding?.[0]?.code;
  };
  expect(said(['radiologist'])).toBe('TREAT');
  expect(said(['auditor'])).toBe('HCOMPL');
  expect(said(['administrator'])).toBe('HSYSADMIN');
  expect(said(['radiologist'], 'BTG')).toBe('BTG');
  expect(said([])).toBeUndefined();
});
