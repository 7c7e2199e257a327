/**
 * A server that speaks just enough FHIR, DICOMweb and OAuth for the user interface to be driven without the real one, under a
 * content security policy stricter than any deployment's.
 */
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { Bundle, DiagnosticReport, OperationOutcome, Parameters, Resource, Task } from '@medplum/fhirtypes';
import fastify, { type FastifyInstance } from 'fastify';
import { type FakeLive, fakeLive } from './live.ts';
import { frame, metadataAnswer, multipart, phantomSeries, seriesAnswer } from './phantom.ts';
import { fakeResources } from './resources.ts';
import { ranked } from './worklist.ts';

const P = 'https://fhir.passerelle.example/';

export const strictPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  'frame-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface FakeServer {
  url: string;
  /** Everything stored, by `Type/id`; tests change it as the outside world would. */
  resources: Map<string, Resource>;
  /** Operations received, in order. */
  operations: { name: string; body: Parameters; ifMatch: string | undefined; header: string | undefined }[];
  live: FakeLive;
  /** Searches for what changed, asked again and again while nothing is told. */
  pulses: { count: number };
  /** Addresses asked for in the tenant `ailleurs`, which has what the person's own has. */
  elsewhere: string[];
  /** Images of each series already stored. */
  arrived: { count: number };
  /** Answers the next `$sign` with this outcome. */
  refuseSigning: { issues: { expression?: string; diagnostics: string }[] };
  close(): Promise<void>;
}

interface Person {
  display: string;
  roles: string[];
  tenants?: { tenant: string; reference: string; roles: string[] }[];
}

const people: Record<string, Person> = {
  itinerante: {
    display: 'Dr LOU TEST-ITINERANTE',
    roles: ['radiologist'],
    tenants: [{ tenant: 'ailleurs', reference: 'Practitioner/radiologue', roles: ['radiologist'] }],
  },
  radiologue: { display: 'Dr NOA TEST-TELERADIO', roles: ['radiologist'] },
  coordonnateur: { display: 'SASHA TEST-COORDINATION', roles: ['coordinator'] },
  identitovigilance: { display: 'LOU TEST-IDENTITE', roles: ['identity-vigilance'] },
  auditeur: { display: 'MAX TEST-AUDIT', roles: ['auditor'] },
  admin: { display: 'LEO TEST-ADMIN', roles: ['administrator'] },
};
export const fakePassword = 'mot-de-passe-factice';

/** @param folder the built user interface. */
export async function startFakeServer(folder: string): Promise<FakeServer> {
  const elsewhere: string[] = [];
  const app = fastify({
    rewriteUrl({ url = '/' }) {
      const inner = /^\/t\/ailleurs(\/.*)$/.exec(url)?.[1];
      if (inner) elsewhere.push(inner);
      return inner ?? url;
    },
  });
  const resources = new Map(fakeResources(Date.now()).map((one) => [`${one.resourceType}/${one.id}`, one]));
  const live = await fakeLive(app);
  const keep = resources.set.bind(resources);
  // Whoever changes what is stored, pages are told.
  resources.set = (key, resource) => {
    keep(key, resource);
    live.tell();
    return resources;
  };
  const server: Omit<FakeServer, 'url' | 'close'> = {
    resources,
    operations: [],
    elsewhere,
    live,
    pulses: { count: 0 },
    arrived: { count: 99 },
    refuseSigning: { issues: [] },
  };
  app.addContentTypeParser('application/fhir+json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, JSON.parse(String(body))),
  );
  app.addHook('onSend', async (_request, reply) => void reply.header('content-security-policy', strictPolicy));
  oauth(app);
  dicomweb(app, server);
  fhir(app, server);
  await app.register(fastifyStatic, { root: folder, wildcard: false });
  app.setNotFoundHandler((_request, reply) => reply.type('text/html').sendFile('index.html', join(folder)));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { ...server, url, close: () => app.close() };
}

function accountOf(cookie: string | undefined): string | undefined {
  return /compte=(\w+)/.exec(cookie ?? '')?.[1];
}

function oauth(app: FastifyInstance): void {
  app.post<{ Body: { username: string; password: string } }>('/oauth2/login', async (request, reply) => {
    const { username, password } = request.body;
    if (!people[username] || password !== fakePassword)
      return reply.code(401).send({ error: 'invalid_credentials', message: 'Identifiant ou mot de passe incorrect.' });
    return reply.header('set-cookie', `compte=${username}; HttpOnly; SameSite=Strict; Path=/`).send({});
  });
  // Nobody is in the middle of signing in, and this address holds no passkeys.
  app.get('/oauth2/sign-in', async () => ({ step: null }));
  app.get('/oauth2/passkey', async () => ({ host: null }));
  app.get('/oauth2/accounts', async () => ({ accounts: [], roles: [], providers: [] }));
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.get('/oauth2/launch', async () => ({ applications: [{ id: 'viewer', name: 'Visionneuse 3D' }] }));
  app.post<{ Body: { client_id: string; task: string } }>('/oauth2/launch', async ({ body, headers }) => ({
    url: `http://${headers.host}/application?client=${body.client_id}&dossier=${body.task}`,
  }));
  app.get('/application', async (_request, reply) => reply.type('text/html').send('<title>Application</title>'));
  app.post('/oauth2/logout', async (_request, reply) =>
    reply.header('set-cookie', 'compte=; Max-Age=0; Path=/').send({}),
  );
  app.get('/oauth2/userinfo', async (request, reply) => {
    const account = accountOf(request.headers.cookie);
    const person = people[account ?? ''];
    if (!account || !person) return reply.code(401).send({});
    return { tenant: 'demo', account, reference: `Practitioner/${account}`, ...person };
  });
}

function dicomweb(app: FastifyInstance, { arrived }: { arrived: { count: number } }): void {
  const json = 'application/dicom+json';
  app.get('/dicomweb/studies/:study/series', async (_request, reply) =>
    reply.type(json).send(JSON.stringify(seriesAnswer(arrived.count))),
  );
  app.get<{ Params: { series: string } }>(
    '/dicomweb/studies/:study/series/:series/metadata',
    async (request, reply) => {
      const series = phantomSeries.find((one) => one.uid === request.params.series);
      return reply.type(json).send(JSON.stringify(series ? metadataAnswer(series, arrived.count) : []));
    },
  );
  app.get<{ Params: { instance: string } }>(
    '/dicomweb/studies/:study/series/:series/instances/:instance/frames/1',
    async (request, reply) => {
      const { type, body } = multipart(frame(Number(request.params.instance.split('.').at(-1))));
      return reply.header('content-type', type).send(body);
    },
  );
}

function fhir(app: FastifyInstance, server: Omit<FakeServer, 'url' | 'close'>): void {
  const { resources } = server;
  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/fhir') && !accountOf(request.headers.cookie))
      return reply.code(401).send(outcome('login', 'Session inconnue.'));
  });
  app.get<{ Params: { type: string }; Querystring: Record<string, string | string[]> }>(
    '/fhir/:type',
    async ({ params, query }) => {
      if (params.type === 'Task' && query._summary === 'count') server.pulses.count++;
      return search(resources, params.type, query);
    },
  );
  app.get<{ Querystring: Record<string, string | string[]> }>('/fhir/Task/$worklist', async ({ query }) =>
    ranked(search(resources, 'Task', {}), query),
  );
  app.get<{ Querystring: Record<string, string | string[]> }>(
    '/t/all/fhir/Task/$worklist',
    async ({ query }): Promise<Bundle> => {
      const found = ranked(search(resources, 'Task', {}), query);
      const entry = found.entry?.map((one) => ({
        ...one,
        fullUrl: `http://serveur.exemple/t/ailleurs/fhir/${one.resource?.resourceType}/${one.resource?.id}`,
      }));
      const text = 'La liste est incomplète : les dossiers de « lointain » manquent ou ne sont pas tous là.';
      const late: OperationOutcome = {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'warning', code: 'timeout', details: { text } }],
      };
      return { ...found, ...(entry ? { entry: [...entry, { resource: late, search: { mode: 'outcome' } }] } : {}) };
    },
  );
  app.get<{ Params: { type: string; id: string } }>('/fhir/:type/:id', async ({ params }, reply) => {
    if (params.type === 'Binary') return reply.type('application/pdf').send(Buffer.from('%PDF-1.4\n%fictif\n'));
    const one = resources.get(`${params.type}/${params.id}`);
    return one ?? reply.code(404).send(outcome('not-found', 'Ressource inconnue.'));
  });
  app.get<{ Params: { id: string } }>('/fhir/Task/:id/$transitions', async ({ params }) => ({
    resourceType: 'Parameters',
    parameter: legal(taskOf(resources, params.id)).map((code) => ({ name: 'transition', valueCode: code })),
  }));
  app.post<{ Params: { id: string; name: string }; Body: Parameters }>(
    '/fhir/Task/:id/:name',
    async (request, reply) => {
      const name = request.params.name.slice(1);
      const ifMatch = request.headers['if-match'];
      const header = request.headers['x-passerelle'];
      server.operations.push({
        name,
        body: request.body,
        ifMatch,
        header: typeof header === 'string' ? header : undefined,
      });
      const task = taskOf(resources, request.params.id);
      if (ifMatch !== undefined && ifMatch !== `W/"${task.meta?.versionId}"`)
        return reply.code(412).send(outcome('conflict', 'Version dépassée.'));
      if (!legal(task).includes(name))
        return reply.code(422).send(outcome('business-rule', 'Action impossible dans cet état.'));
      if (name === 'sign' && server.refuseSigning.issues.length > 0) {
        const issue = server.refuseSigning.issues.map((one) => ({
          severity: 'error',
          code: 'business-rule',
          diagnostics: one.diagnostics,
          ...(one.expression ? { expression: [one.expression] } : {}),
        }));
        return reply.code(422).send({ resourceType: 'OperationOutcome', issue });
      }
      return apply(resources, task, name, request.body);
    },
  );
}

function taskOf(resources: Map<string, Resource>, id: string): Task {
  return resources.get(`Task/${id}`) as Task;
}

function legal(task: Task): string[] {
  const state = task.businessStatus?.coding?.[0]?.code;
  const provisional = task.extension?.some((one) => one.valueCode === 'provisional') ? ['confirm-images'] : [];
  if (state === 'protocol-wanted') return ['protocol', 'refuse', 'phone-exchange'];
  if (state === 'ready') return ['claim', 'phone-exchange', ...provisional];
  if (state === 'reading')
    return ['release', 'suspend', 'phone-exchange', 'save-draft', 'displayed', 'sign', ...provisional];
  return state === 'acquiring' ? ['complete-images', 'phone-exchange'] : [];
}

function apply(resources: Map<string, Resource>, task: Task, name: string, body: Parameters): Resource {
  const values = Object.fromEntries(
    (body.parameter ?? []).map((one) => [one.name, one.valueString ?? one.valueCoding]),
  );
  const reportId = `cr-${task.id}`;
  const text = (status: DiagnosticReport['status']): DiagnosticReport => ({
    resourceType: 'DiagnosticReport',
    id: reportId,
    status,
    code: {
      coding: [
        { system: 'http://loinc.org', code: '18748-4' },
        ...(values.ccam ? [values.ccam as { code: string }] : []),
      ],
    },
    conclusion: String(values.conclusion ?? ''),
    basedOn: [{ reference: task.focus?.reference ?? '' }],
    subject: { reference: task.for?.reference ?? '' },
    issued: new Date().toISOString(),
    resultsInterpreter: [{ reference: 'Practitioner/radiologue', display: 'Dr NOA TEST-TELERADIO' }],
    extension: [
      {
        url: `${P}StructureDefinition/report-text`,
        extension: ['indication', 'technique', 'results', 'conclusion'].map((url) => ({
          url,
          valueString: String(values[url] ?? '') || '-',
        })),
      },
    ],
    ...(status === 'final' ? { presentedForm: [{ contentType: 'application/pdf', url: 'Binary/pdf-1' }] } : {}),
  });
  const put = <R extends Resource>(one: R): R => {
    resources.set(`${one.resourceType}/${one.id}`, one);
    return one;
  };
  if (name === 'save-draft') return put(text('partial'));
  const move = (code: string, status: Task['status'], label: string, more: Partial<Task> = {}): Task =>
    put({
      ...task,
      ...more,
      status,
      businessStatus: { coding: [{ system: `${P}CodeSystem/case-status`, code }], text: label },
      meta: { versionId: String(Number(task.meta?.versionId) + 1), lastUpdated: new Date().toISOString() },
    });
  const owner = { reference: 'Practitioner/radiologue', display: 'Dr NOA TEST-TELERADIO' };
  const output = (code: string, value: object) =>
    ({ type: { coding: [{ system: `${P}CodeSystem/case-item`, code }] }, ...value }) as NonNullable<
      Task['output']
    >[number];
  if (name === 'protocol')
    return move('protocoled', 'accepted', 'acceptée et protocolée', {
      output: [output('protocol', { valueString: values.text })],
    });
  if (name === 'claim') return move('reading', 'in-progress', 'en lecture', { owner });
  if (name === 'release') return move('ready', 'ready', 'prête à lire', { owner: undefined });
  if (name === 'sign') {
    put(text('final'));
    put({
      resourceType: 'DocumentReference',
      id: `cda-${task.id}`,
      status: 'current',
      content: [{ attachment: { contentType: 'text/xml', url: 'Binary/cda-1' } }],
    });
    put({
      resourceType: 'Task',
      id: `envoi-${task.id}`,
      status: 'completed',
      intent: 'order',
      partOf: [{ reference: `Task/${task.id}` }],
      code: { coding: [{ system: `${P}CodeSystem/task-code`, code: 'deliver' }] },
      owner: { display: 'RIS de CH-EXEMPLE' },
      lastModified: new Date().toISOString(),
      output: [output('evidence', { valueString: 'MSA|AA|P0001' })],
    });
    return move('delivered', 'completed', 'reçu par le site', {
      output: [
        ...(task.output ?? []),
        output('report', { valueReference: { reference: `DiagnosticReport/${reportId}` } }),
        output('document', { valueReference: { reference: `DocumentReference/cda-${task.id}` } }),
      ],
    });
  }
  return name === 'displayed'
    ? task
    : move(task.businessStatus?.coding?.[0]?.code ?? '', task.status, task.businessStatus?.text ?? '');
}

function outcome(code: 'login' | 'not-found' | 'conflict' | 'business-rule', diagnostics: string): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics }] };
}

/** Searches by the parameters the user interface sends; `_include` and `_revinclude` bring everything a page could ask for. */
function search(resources: Map<string, Resource>, type: string, query: Record<string, string | string[]>): Bundle {
  const all = [...resources.values()];
  const ids = typeof query._id === 'string' ? query._id.split(',') : undefined;
  const patient = query.patient ?? query.subject;
  const matches = all.filter((one) => {
    if (one.resourceType !== type || (ids && !ids.includes(one.id ?? ''))) return false;
    if (type === 'Task' && !ids && (one as Task).code?.coding?.[0]?.code !== 'teleradiology-case') return false;
    const content = JSON.stringify(one);
    const named = [patient, query['based-on'], query.implicated].filter((value) => typeof value === 'string');
    return named.every((reference) =>
      content.includes(`"${reference.includes('/') ? reference : `Patient/${reference}`}"`),
    );
  });
  const included = matches.flatMap((one) =>
    type === 'Task' || type === 'ServiceRequest' || type === 'DetectedIssue' ? neighbours(all, one) : [],
  );
  if (query._summary === 'count') {
    const since = typeof query._lastUpdated === 'string' ? Date.parse(query._lastUpdated.slice(2)) : 0;
    const total = matches.filter((one) => Date.parse(one.meta?.lastUpdated ?? '') > since).length;
    return { resourceType: 'Bundle', type: 'searchset', total };
  }
  const entry = [...new Set([...matches, ...included])].map((resource) => ({ resource }));
  return { resourceType: 'Bundle', type: 'searchset', entry };
}

function neighbours(all: readonly Resource[], one: Resource): Resource[] {
  const content = JSON.stringify(one);
  return all.filter((other) => {
    const reference = `${other.resourceType}/${other.id}`;
    const parent = other.resourceType === 'Task' && other.partOf?.some((part) => part.reference === `Task/${one.id}`);
    return parent || (other.resourceType !== 'Task' && content.includes(`"${reference}"`));
  });
}
