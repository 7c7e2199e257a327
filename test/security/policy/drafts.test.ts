/** A report being written is out of the establishment's sight by every way of asking, and so are its drafts once it is published. */

import { readFile } from 'node:fs/promises';
import type { Bundle, DiagnosticReport, Parameters, Resource, Subscription } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narrowedSight } from '../../../src/access/smart/row-conditions.ts';
import { type Context, establishmentSystem, limitedTypes, systemContext } from '../../../src/fhir/index.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';

let whole: WholeServer;
/** In every draft and in nothing that was published. */
const begun = 'PHRASECOMMENCEE';
const published = 'PHRASEPUBLIEE';
const tokens = new Map<string, string>();
const site = ['requester', 'ris', 'secretary'] as const;
const readers = ['radiologist', 'quality'] as const;
const clock = { now: () => new Date() };

const people = {
  requester: 'person',
  ris: 'machine',
  secretary: 'person',
  radiologist: 'person',
  quality: 'person',
  coordinator: 'person',
  stranger: 'person',
} as const;

/** A report in a status, its chapters as the platform keeps them. */
const report = (id: string, status: DiagnosticReport['status'], words: string): DiagnosticReport => ({
  resourceType: 'DiagnosticReport',
  id,
  meta: { security: [{ system: establishmentSystem, code: 'nord' }] },
  extension: [
    {
      url: 'https://fhir.passerelle.example/StructureDefinition/report-text',
      extension: [{ url: 'conclusion', valueString: words }],
    },
  ],
  status,
  code: { text: 'Compte rendu' },
  conclusion: words,
  subject: { reference: 'Patient/camille' },
  encounter: { reference: 'Encounter/venue' },
  basedOn: [{ reference: 'ServiceRequest/demande' }],
  resultsInterpreter: [{ reference: 'Practitioner/radiologist' }],
});

/** What a second reader says of the report, before its signature or after. */
const opinion = (category: string, words: string, id = category): Resource => ({
  resourceType: 'Communication',
  id,
  meta: { security: [{ system: establishmentSystem, code: 'nord' }] },
  status: 'completed',
  category: [
    { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: category }] },
  ],
  subject: { reference: 'Patient/camille' },
  basedOn: [{ reference: 'ServiceRequest/demande' }],
  recipient: [{ reference: 'Practitioner/radiologist' }],
  payload: [{ contentString: words }],
});

async function store(...resources: Resource[]): Promise<void> {
  for (const resource of resources)
    await whole.server.store.transaction(systemContext('aa', 'system:test', clock), (tx) => tx.whole.update(resource));
}

const remove = (type: 'DiagnosticReport' | 'Communication', id: string) =>
  whole.server.store.transaction(systemContext('aa', 'system:test', clock), (tx) => tx.whole.delete(type, id));

beforeAll(async () => {
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  const { server } = whole;
  const security = [{ system: establishmentSystem, code: 'nord' }];
  const subject = { reference: 'Patient/camille' };
  await store(
    { resourceType: 'Organization', id: 'nord', name: 'NORD' },
    { resourceType: 'Organization', id: 'sud', name: 'SUD' },
    { resourceType: 'Practitioner', id: 'radiologist', name: [{ family: 'TEST' }] },
    { resourceType: 'Patient', id: 'camille', meta: { security }, name: [{ family: 'TEST-MOREAU' }] },
    {
      resourceType: 'Encounter',
      id: 'venue',
      meta: { security },
      status: 'in-progress',
      class: { code: 'EMER' },
      subject,
    },
    { resourceType: 'ServiceRequest', id: 'demande', meta: { security }, status: 'active', intent: 'order', subject },
  );
  await store(report('being-written', 'partial', begun));
  await store(report('only-registered', 'registered', begun));
  for (const [status, words] of [
    ['partial', `${begun} un`],
    ['partial', `${begun} deux`],
    ['preliminary', published],
    ['final', published],
  ] as const)
    await store(report('published', status, words));
  await store(report('given-up', 'partial', begun));
  await store(opinion('draft-opinion', begun, 'unsaid'));
  await remove('DiagnosticReport', 'given-up');
  await remove('Communication', 'unsaid');
  // A deleted draft whose id was used again, and a report that was published before it was deleted.
  await store(report('begun-again', 'partial', begun));
  await remove('DiagnosticReport', 'begun-again');
  await store(report('begun-again', 'final', published), report('removed', 'final', published));
  await remove('DiagnosticReport', 'removed');
  await store({
    resourceType: 'Composition',
    id: 'document',
    meta: { security },
    status: 'preliminary',
    type: { text: 'x' },
    date: '2026-05-12',
    title: 'x',
    subject,
    author: [{ reference: 'Practitioner/radiologist' }],
    section: [{ title: 'x', entry: [{ reference: 'DiagnosticReport/being-written' }] }],
  });
  await store({
    resourceType: 'Provenance',
    id: 'trace',
    meta: { security },
    recorded: '2026-05-12T08:00:00Z',
    target: [{ reference: 'DiagnosticReport/being-written' }],
    agent: [{ who: { reference: 'Practitioner/radiologist' } }],
  });
  await store(opinion('draft-opinion', begun), opinion('second-opinion', published));
  for (const [login, kind] of Object.entries(people)) {
    const role = login === 'stranger' ? 'requester' : login;
    await server.access.ensureAccount({
      ...{ tenant: 'aa', login, kind, display: login, roles: [role] },
      reference: kind === 'machine' ? `Device/${login}` : `Practitioner/${login}`,
      organizationId: login === 'stranger' ? 'sud' : 'nord',
    });
    tokens.set(login, await server.access.issueToken(login, 86_400));
  }
}, 60_000);
afterAll(async () => {
  await whole?.close();
});

async function ask(who: string, path: string, method = 'GET', body?: object) {
  const answer = await fetch(`${whole.server.httpUrl}/fhir/${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(who)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

/** Ways of asking; each shows the published report or nothing. */
const ways = [
  'DiagnosticReport/being-written',
  'DiagnosticReport/only-registered',
  'DiagnosticReport/being-written/_history',
  'DiagnosticReport/being-written/_history/1',
  'DiagnosticReport/published/_history',
  'DiagnosticReport/published/_history/1',
  'DiagnosticReport/published/_history/2',
  'DiagnosticReport/given-up/_history',
  'DiagnosticReport/given-up/_history/1',
  'DiagnosticReport/_history?_count=100',
  'DiagnosticReport?_count=100',
  'DiagnosticReport?status=partial,registered',
  'DiagnosticReport?_id=being-written',
  'DiagnosticReport?patient=camille&_sort=-_lastUpdated',
  'DiagnosticReport?based-on=demande',
  `DiagnosticReport?_filter=${encodeURIComponent('status eq partial')}`,
  'DiagnosticReport?results-interpreter=radiologist',
  'Patient/camille/DiagnosticReport',
  'Encounter/venue/DiagnosticReport',
  'Patient?_id=camille&_revinclude=DiagnosticReport:subject',
  'ServiceRequest?_id=demande&_revinclude=DiagnosticReport:based-on',
  'Provenance?_id=trace&_include=Provenance:target',
  'Communication/draft-opinion',
  'Communication/draft-opinion/_history',
  'Communication?patient=camille',
  'Communication?category=draft-opinion',
  'ServiceRequest?_id=demande&_revinclude=Communication:based-on',
  'Patient/camille/$everything?_count=200',
  'Encounter/venue/$everything?_count=200',
  'Composition/document/$document',
  'DiagnosticReport?_summary=false&_elements=conclusion,extension',
] as const;

describe.each(site)('%s', (who) => {
  it.each(ways)('finds no word of a draft by %s', async (way) => {
    const answer = await ask(who, way);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toContain(begun);
  });

  it('gets the answer of what does not exist', async () => {
    expect((await ask(who, 'DiagnosticReport/being-written')).status).toBe(404);
    expect((await ask(who, 'DiagnosticReport/published/_history/1')).status).toBe(404);
    expect((await ask(who, 'DiagnosticReport/published')).text).toContain(published);
    expect((await ask(who, 'Communication/draft-opinion')).status).toBe(404);
    expect((await ask(who, 'Communication/second-opinion')).text).toContain(published);
  });

  it('is not told how many there are, nor led to a patient by one', async () => {
    const counted = JSON.parse((await ask(who, 'DiagnosticReport?_summary=count')).text) as Bundle;
    expect(counted.total).toBe(2);
    const led = await ask(who, 'Patient?_has:DiagnosticReport:subject:status=partial');
    const patients = (JSON.parse(led.text) as Bundle).entry ?? [];
    expect(patients.filter(({ search }) => search?.mode === 'match')).toEqual([]);
    const history = JSON.parse((await ask(who, 'DiagnosticReport/published/_history')).text) as Bundle;
    expect(history.entry?.map(({ resource }) => (resource as DiagnosticReport).status)).toEqual([
      'final',
      'preliminary',
    ]);
    expect(history.total).toBe(2);
  });

  it('finds none in a batch', async () => {
    const bundle: Bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: ways.slice(0, 8).map((url) => ({ request: { method: 'GET', url } })),
    };
    const answer = await ask(who, '', 'POST', bundle);
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(begun);
  });
});

/** Ways of asking about one id, that of a deleted draft or one nobody ever used. */
const aboutOne = [
  ['GET', 'DiagnosticReport/ID'],
  ['GET', 'DiagnosticReport/ID/_history'],
  ['GET', 'DiagnosticReport/ID/_history/1'],
  ['GET', 'DiagnosticReport/ID/_history/2'],
  ['GET', 'DiagnosticReport?_id=ID'],
  ['GET', 'DiagnosticReport?_id=ID&_summary=count'],
  ['GET', 'Provenance?target=DiagnosticReport/ID&_include=Provenance:target'],
  ['GET', 'DiagnosticReport/ID/$meta'],
  ['GET', '$graphql?query={DiagnosticReport(id:"ID"){status}}'],
  ['PUT', 'DiagnosticReport/ID'],
  ['PUT', 'DiagnosticReport?_id=ID'],
  ['PATCH', 'DiagnosticReport/ID'],
  ['DELETE', 'DiagnosticReport/ID'],
  ['DELETE', 'DiagnosticReport?_id=ID'],
  ['GET', 'Communication/ID'],
  ['GET', 'Communication/ID/_history'],
  ['GET', 'Communication/ID/_history/1'],
  ['GET', 'Communication/ID/_history/2'],
] as const;

const computedAnew =
  /,"entry":\[\{"resource":\{"resourceType":"OperationOutcome","issue":\[\{"severity":"warning","code":"incomplete"[^}]*\}\]\},"search":\{"mode":"outcome"\}\}\]/;

describe('a deleted draft', () => {
  const answers = async (who: string, id: string) => {
    const found: Record<string, object> = {};
    for (const [method, path] of aboutOne) {
      const [type] = path.split(/[/?]/);
      const body =
        method === 'PUT'
          ? { ...report(id, 'final', published), resourceType: type }
          : method === 'PATCH'
            ? []
            : undefined;
      const { status, text } = await ask(who, path.replace('ID', id), method, body);
      // Bundles and outcomes carry the time and an id of their own, and for a while after the start a word about search values.
      const told = text
        .replaceAll(id, 'ID')
        .replace(/"(id|timestamp)": ?"[^"]*"/g, '"$1"')
        .replace(computedAnew, '');
      found[`${method} ${path}`] = { status, told };
    }
    return found;
  };

  it.each(site)('is for %s what never existed', async (who) => {
    const never = await answers(who, 'never-was');
    expect(await answers(who, 'given-up')).toEqual(never);
    expect(await answers(who, 'unsaid')).toEqual(never);
    expect((await ask(who, 'DiagnosticReport/given-up')).status).toBe(404);
    expect((await ask(who, 'Communication/unsaid')).status).toBe(404);
    expect((await ask(who, 'DiagnosticReport/_history?_count=100')).text).not.toContain('given-up');
    expect((await ask(who, 'Communication/_history?_count=100')).text).not.toContain('unsaid');
  });

  it.each(site)('stays out of the history of a report that %s sees under its id', async (who) => {
    expect((await ask(who, 'DiagnosticReport/begun-again')).text).toContain(published);
    for (const version of [1, 2])
      expect((await ask(who, `DiagnosticReport/begun-again/_history/${version}`)).status).toBe(404);
    const history = JSON.parse((await ask(who, 'DiagnosticReport/begun-again/_history')).text) as Bundle;
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['PUT']);
  });

  it.each([...site, ...readers])(
    'is not a report that was published: %s is told that this one is gone',
    async (who) => {
      expect((await ask(who, 'DiagnosticReport/removed')).status).toBe(410);
    },
  );

  it.each(readers)('is for %s a deleted resource', async (who) => {
    expect((await ask(who, 'DiagnosticReport/given-up')).status).toBe(410);
    expect((await ask(who, 'DiagnosticReport/given-up/_history/2')).status).toBe(410);
    expect((await ask(who, 'DiagnosticReport/given-up/_history')).text).toContain(begun);
  });

  it('of a second reader is gone for the reader of the case', async () => {
    expect((await ask('radiologist', 'Communication/unsaid')).status).toBe(410);
  });

  it('deleted before deletions were withheld is withheld by the migration', async () => {
    const owner = new pg.Client({ connectionString: whole.server.database.adminUrl });
    await owner.connect();
    const asked = async () => [
      (await ask('requester', 'DiagnosticReport/given-up')).status,
      (await ask('requester', 'Communication/unsaid')).status,
      (await ask('requester', 'DiagnosticReport/removed')).status,
    ];
    try {
      await owner.query("SELECT set_config('passerelle.tenant', 'aa', false)");
      for (const [table, withheld] of [
        ['diagnosticreport', 'draft_keys'],
        ['communication', 'draft_opinion_keys'],
      ])
        await owner.query(
          `UPDATE fhir.${table} SET keys = ARRAY (SELECT unnest(keys) EXCEPT SELECT unnest(${withheld}())) WHERE deleted AND tenant = 'aa'`,
        );
      expect(await asked()).toEqual([410, 410, 410]);
      const migration = new URL('../../../migrations/0190_deleted_drafts.sql', import.meta.url);
      await owner.query(await readFile(migration, 'utf8'));
      expect(await asked()).toEqual([404, 404, 410]);
    } finally {
      await owner.end();
    }
  });
});

it.each(readers)('%s reads them as before', async (who) => {
  expect((await ask(who, 'DiagnosticReport/being-written')).text).toContain(begun);
  expect((await ask(who, 'DiagnosticReport/published/_history/1')).text).toContain(begun);
});

it('the readers of a case read what was said of its draft, and so does the coordinator', async () => {
  for (const who of ['radiologist', 'coordinator'])
    expect((await ask(who, 'Communication/draft-opinion')).text, who).toContain(begun);
});

it('opening a record in an emergency does not open what its reader is writing', async () => {
  const opened = await ask('stranger', 'Patient/camille/$break-glass', 'POST', {
    resourceType: 'Parameters',
    parameter: [{ name: 'reason', valueString: 'Patient inconscient aux urgences' }],
  } satisfies Parameters);
  expect(opened.status, opened.text).toBe(200);
  const found = await ask('stranger', 'DiagnosticReport?patient=camille');
  expect(found.text).toContain(published);
  expect(found.text).not.toContain(begun);
});

it('a token about one patient, or about a status, shows no more than its account', async () => {
  const { store, access } = whole.server;
  const context = async (login: string): Promise<Context> => {
    const identity = await access.identityIn('aa', login);
    if (!identity) throw new Error(login);
    return { ...systemContext('aa', 'test', clock), ...identity };
  };
  const drafts = async (login: string, scopes: string[]) => {
    const account = await context(login);
    const narrowed = narrowedSight(account, { scopes, patient: 'camille' }, limitedTypes());
    return store.transaction({ ...account, ...narrowed }, async (tx) =>
      (await tx.search('DiagnosticReport', 'status=partial,registered')).map(({ id }) => id).sort(),
    );
  };
  for (const scopes of [['patient/*.rs'], ['system/DiagnosticReport.rs?status=partial']])
    expect(await drafts('ris', scopes)).toEqual([]);
  expect(await drafts('radiologist', ['patient/*.rs'])).toEqual(['being-written', 'only-registered']);
  expect(await drafts('radiologist', ['user/DiagnosticReport.rs?status=partial'])).toEqual(['being-written']);
});

it('a subscription of the site waits for what is published, and is told of nothing before', async () => {
  const asked: Subscription = {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'x',
    criteria: 'DiagnosticReport?patient=camille',
    channel: { type: 'websocket' },
  };
  const made = await ask('ris', 'Subscription', 'POST', asked);
  expect(made.status, made.text).toBe(201);
  const { id } = JSON.parse(made.text) as Subscription;
  const patient = { timeout: 15_000, interval: 100 };
  await expect
    .poll(async () => (JSON.parse((await ask('ris', `Subscription/${id}`)).text) as Subscription).status, patient)
    .toBe('active');
  for (const words of ['trois', 'quatre']) {
    await store(report('being-written', 'partial', `${begun} ${words}`));
    await store(report('thrown-away', 'partial', `${begun} ${words}`));
    await remove('DiagnosticReport', 'thrown-away');
    await store(report('published', 'amended', `${published} ${words}`));
  }
  const counted = async () => {
    // Events are numbered, or forgotten, when somebody asks for them.
    await ask('ris', `Subscription/${id}/$events`);
    const { rows } = await whole.server.database.query<{ resource: string }>(
      'aa',
      'SELECT resource FROM subscription_event WHERE tenant = $1 AND subscription = $2 ORDER BY number',
      ['aa', id],
    );
    return rows.map(({ resource }) => resource);
  };
  await expect.poll(counted, patient).toEqual(['published', 'published']);
  for (const draft of ['being-written', 'thrown-away'])
    expect((await ask('ris', `Subscription/${id}/$events`)).text).not.toContain(draft);
}, 40_000);
