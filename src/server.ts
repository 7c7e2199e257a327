/**
 * The whole application in one readable list: which rooms exist, what each is given, in which order they start and stop.
 */
import { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { FastifyBaseLogger } from 'fastify';
import {
  type Access,
  accessRoutes,
  administrationRoutes,
  answerFailure,
  auditAnchorsFolder,
  auditKeyFiles,
  createAccess,
  createLimits,
  createMalwareGate,
  createNodes,
  createOAuthService,
  crossOrigin,
  describeSecurity,
  legalNoticeRoutes,
  openAuditKeys,
  openidRoutes,
  openServerTls,
  refusalsFirst,
  securityHeaders,
  securityTxtRoute,
  smartRoutes,
} from './access/index.ts';
import { dicomwebRoutes } from './adapters/dicomweb/index.ts';
import { commitmentDestination, startDimse } from './adapters/dimse/index.ts';
import { mappedValueSets, risDestination, startMllp } from './adapters/hl7v2/index.ts';
import { createMailer, loadTemplates, mailDestination } from './adapters/mail/index.ts';
import { type Config, dataFolder, isLoopback, type SmtpConfig, systemClock } from './config/index.ts';
import {
  type ConfiguredDatabase,
  type Database,
  leakproofStatements,
  openConfiguredDatabase,
  searchesUseTheirIndex,
} from './db/index.ts';
import { createDelivery, type Delivery, deliveryGauges } from './delivery/index.ts';
import { createBulkData } from './fhir/bulk/index.ts';
import {
  createFhirStore,
  type FhirStore,
  fhirRoutes,
  mergedRoutes,
  registerGraphql,
  registerOperations,
  systemContext,
} from './fhir/index.ts';
import { createSubscriptions, type Owners, withSealedHeaders } from './fhir/subscriptions/index.ts';
import { healthRoutes } from './health.ts';
import { httpServer } from './http-server.ts';
import { createImaging } from './imaging/index.ts';
import { stopInTurn } from './orderly-stop.ts';
import { createReportRoom, openKeystore } from './report/index.ts';
import { letConnectionsGo } from './sockets/index.ts';
import { createTeleradiology } from './teleradiology/index.ts';
import { userInterfaceRoutes } from './user-interface.ts';
import { openConfiguredVault } from './vault/index.ts';

/** A running Passerelle. */
export interface Server {
  /** `http://host:port`, where it really listens. */
  httpUrl: string;
  httpPort: number;
  mllpPort: number;
  mllpsPort?: number;
  /** DICOM associations, where they are taken. */
  dimsePort?: number;
  dimsesPort?: number;
  database: Database;
  store: FhirStore;
  access: Access;
  delivery: Delivery;
  log: FastifyBaseLogger;
  /** Raises what is due now, as the server does by itself every second. */
  sweep(): Promise<number>;
  /** Takes over certificates that were replaced; what else is kept in files is read anew by itself. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** Fills a new database before anything listens (demonstration data). */
  seed?(rooms: { database: Database; store: FhirStore; access: Access; config: Config }): Promise<void>;
  /** Folder of the built user interface; undefined serves none. */
  userInterface?: string;
  /** An unknown sender (HL7 v2, DICOM) on a loopback connection counts as this establishment's RIS or PACS (demonstration only). */
  loopbackSender?: { tenant: string; organizationId: string };
}

/** A worklist of several tenants waits so long for the slowest; the page asks again anyway. */
const tenantPatienceMs = 5_000;
/**
 * Opens the database, composes the rooms and listens. Resolves when every port accepts connections.
 * @throws what a room cannot do at start: bad configuration, an unreachable database, a port in use.
 */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const database = await openConfiguredDatabase(config);
  try {
    return await compose(config, options, database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function compose(config: Config, options: ServerOptions, database: ConfiguredDatabase): Promise<Server> {
  const { clock } = config;
  const vault = openConfiguredVault(config);
  // Real time: certificates end by it, whatever the clock of a demonstration says.
  const { certificateAuthorities: clientCa, certificates: asksCertificates } = config.clients;
  const tlsFiles = config.tls && { ...config.tls, ...(clientCa === undefined ? {} : { clientCa }) };
  const tls = tlsFiles && (await openServerTls(tlsFiles, { now: () => systemClock.now() }));
  // Behind a proxy that ends TLS the browser still speaks TLS: Secure cookies and HSTS.
  const secure = tls !== undefined || config.baseUrl?.startsWith('https:') === true;
  const app = httpServer(config, { tls, secure });
  letConnectionsGo(app);
  const log = app.log;
  database.keepRunning(log);
  if (!config.demo && config.dataKeys.text === undefined && config.dataKeys.file === undefined) {
    log.warn('the master keys lie beside the data they seal: set DATA_KEYS_FILE, and keep a copy elsewhere');
  }
  tls?.watch(log);
  if (app.server instanceof HttpsServer) tls?.follow(app.server);
  if (!(await searchesUseTheirIndex(database))) {
    log.warn(
      { statements: leakproofStatements },
      'searches cannot use their index: let a superuser run these statements',
    );
  }
  // Before it listens the server has no port but the one it was asked for (seeding leaves a trail that names the address).
  let port = config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const listeningUrl = () => `${tls ? 'https' : 'http'}://${host}:${port}`;
  const baseUrl = () => config.baseUrl ?? listeningUrl();

  const base = () => `${baseUrl()}/fhir`;
  const store = withSealedHeaders(
    await createFhirStore({
      database,
      checkReferences: config.checkReferences,
      searchTimeoutMs: config.searchTimeoutMs,
      terminologyDefinitions: mappedValueSets,
      base,
    }),
    vault,
  );
  registerOperations(store);
  registerGraphql(store);
  const auditKeys = openAuditKeys(auditKeyFiles(config));
  const mailer = config.smtp && (await mailerOf(config.smtp));
  const unlimited = await createAccess({
    ...{
      database,
      store,
      clock,
      secure,
      log,
      baseUrl,
      auditKeys,
      auditAnchors: auditAnchorsFolder(config),
      ...(config.audit.syslog ? { auditSyslog: config.audit.syslog } : {}),
    },
    identitySources: config.identitySources,
    sealer: vault,
    secondFactorRoles: config.secondFactorRoles,
    ...(mailer ? { alerts: { mailer, recipients: config.securityAlertTo, baseUrl } } : {}),
  });
  const { malware } = config.surface;
  const gate = malware && createMalwareGate({ settings: malware, database, vault, access: unlimited, log });
  if (gate) store.beforeCommit(gate.hook);
  const limits = createLimits(config.surface.limits, { behindProxy: config.trustProxy !== undefined, secure });
  const access = limits.guard(unlimited);
  const owners = ownersOf(access);
  const bulk = createBulkData({
    ...{ database, store, guards: access, owners, clock, baseUrl, log },
    ...{ folder: config.dataDir, vault },
  });
  const subscriptions = createSubscriptions({
    database,
    store,
    guards: access,
    sealer: vault,
    owners,
    standing: (credentials) => access.standing(credentials),
    clock,
    createMatcher: store.createMatcher,
    endpoints: { allowed: config.subscriptionHosts, loopbackHttp: config.demo },
    ...(mailer ? { mailer } : {}),
    baseUrl,
    log,
  });
  const keystore = await openKeystore(dataFolder(config, 'keys'), clock);
  const imaging = await createImaging({
    database,
    store,
    folder: dataFolder(config, 'blobs'),
    vault,
    clock,
    baseUrl,
    inspect: gate?.inspect,
  });
  const delivery = createDelivery({ database, store, clock, log });
  const teleradiology = createTeleradiology({
    database,
    store,
    imaging,
    report: createReportRoom(),
    delivery,
    clock,
    signerFor: keystore.signerFor,
    mail: mailer !== undefined,
    log,
  });
  if (mailer) {
    const templates = await loadTemplates();
    delivery.registerDestination(mailDestination({ database, store, mailer, templates, clock, baseUrl }));
  }
  const ris = risDestination({
    database,
    store,
    clock,
    log,
    auditRead: access.auditRead,
    processingId: config.demo ? 'T' : 'P',
  });
  delivery.registerDestination(ris);
  const commitments = commitmentDestination({
    ...{ database, store, imaging, access, clock, aeTitle: config.dicom.aeTitle },
    ...(tls ? { tls: () => tls.outgoing() } : {}),
  });
  delivery.registerDestination(commitments);
  delivery.onOutcome(commitments.forget);
  await options.seed?.({ database, store, access, config });

  app.setErrorHandler(answerFailure);
  await app.register(securityHeaders, { secure });
  await app.register(limits.plugin);
  await app.register(crossOrigin, { origins: config.surface.corsOrigins });
  await app.register(refusalsFirst, { access });
  await app.register(accessRoutes, { access });
  await app.register(openidRoutes, { access, baseUrl });
  await app.register(administrationRoutes, { access });
  await app.register(legalNoticeRoutes, { notice: config.legalNotice });
  await app.register(securityTxtRoute, {
    contact: config.surface.securityContact,
    baseUrl,
    now: () => systemClock.now(),
  });
  await app.register(smartRoutes, {
    service: createOAuthService({
      ...{ database, store, access, clock, baseUrl },
      keyFolder: join(dataFolder(config, 'keys'), 'openid'),
      keyHosts: config.clients.keyHosts,
    }),
    certificates: config.clients.certificates,
  });
  await app.register(healthRoutes, {
    ...{ database, gauges: deliveryGauges(delivery) },
    metricsToken: config.surface.metricsToken,
  });
  await subscriptions.register(app);
  const describe = (statement: CapabilityStatement) => {
    subscriptions.describe(statement);
    describeSecurity(statement, baseUrl());
  };
  await app.register(mergedRoutes, {
    ...{ store, guards: access, clock, baseUrl, types: ['Task', 'ServiceRequest'], patienceMs: tenantPatienceMs },
    everywhere: async (request) => {
      const home = await access.authenticate(request);
      return [home, ...(await access.elsewhere(home))];
    },
  });
  // The caller's own tenant, and any other by its name.
  for (const tenant of ['', '/t/:tenant']) {
    await app.register(fhirRoutes, { prefix: `${tenant}/fhir`, store, guards: access, clock, baseUrl, describe });
    await app.register(bulk.routes, { prefix: `${tenant}/fhir` });
    await app.register(dicomwebRoutes, { prefix: `${tenant}/dicomweb`, imaging, guards: access, clock, baseUrl });
  }
  if (options.userInterface) await app.register(userInterfaceRoutes, { folder: options.userInterface });

  await app.listen({ host: config.host, port: config.port });
  port = (app.server.address() as AddressInfo).port;
  const { recordActivity } = access;
  const receiving = { host: config.host, database, store, teleradiology, clock, log, recordActivity };
  const loopback = options.loopbackSender ? { acceptUnknownLoopback: options.loopbackSender } : {};
  const mllp = await startMllp({ ...receiving, ...loopback, port: config.mllpPort });
  const nodesWith = (required: boolean) =>
    createNodes({
      ...{ database, recordActivity: access.recordActivity, required },
      now: () => clock.now(),
      realNow: () => systemClock.now(),
    });
  const nodes = nodesWith(config.clients.mllpsCertificate === 'required');
  const mllps =
    config.mllpsPort === undefined || !tls
      ? undefined
      : await startMllp({ ...receiving, port: config.mllpsPort, tls, ...(asksCertificates ? { nodes } : {}) });
  const { port: dimsePort, securePort: dimsesPort, aeTitle, peers } = config.dicom;
  const archive = { host: config.host, aeTitle, database, store, imaging, access, delivery, clock, log };
  const dimse =
    dimsePort === undefined
      ? undefined
      : await startDimse({
          ...{ ...archive, port: dimsePort, ...(peers ? { peers } : {}) },
          ...(options.loopbackSender ? { acceptUnknownLoopback: options.loopbackSender } : {}),
        });
  const dimses =
    dimsesPort === undefined || !tls
      ? undefined
      : await startDimse({ ...archive, port: dimsesPort, secured: { tls, nodes: nodesWith(true) } });
  await delivery.start((tenant, interaction) => systemContext(tenant, interaction, clock));
  await teleradiology.start();
  await subscriptions.start();
  bulk.worker.start();
  access.start();
  store.reindex.start();

  return {
    httpUrl: listeningUrl(),
    httpPort: port,
    mllpPort: mllp.port,
    ...(mllps ? { mllpsPort: mllps.port } : {}),
    ...(dimse ? { dimsePort: dimse.port } : {}),
    ...(dimses ? { dimsesPort: dimses.port } : {}),
    database,
    store,
    access,
    delivery,
    log,
    sweep: () => teleradiology.sweep(),
    reload: async () => tls?.reload(),
    close: async () => {
      tls?.close();
      const parts = [
        () => Promise.all([mllp.close(), mllps?.close(), dimse?.close(), dimses?.close()]),
        () => subscriptions.stop(),
        () => bulk.worker.stop(),
        () => app.close(),
        () => teleradiology.stop(),
        () => delivery.stop(),
        () => ris.close(),
        () => mailer?.close(),
        () => store.reindex.stop(),
        () => gate?.close(),
        () => access.close(),
        () => database.close(),
      ];
      await stopInTurn(parts, log);
    },
  };
}

/** Accounts as they are now: notifications and jobs follow their rights. */
function ownersOf(access: Access): Owners {
  return {
    identityOf: (tenant, account) => access.identityIn(tenant, account),
  };
}

function mailerOf({ host, port, user, password, from }: SmtpConfig) {
  const account = user === undefined ? {} : { user, ...(password ? { password } : {}) };
  return createMailer({ host, port, from, isLoopback: isLoopback(host), ...account });
}
