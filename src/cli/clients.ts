/** Machines and third-party apps (docs/access/machines.md): register them, list them, shut them off, give them other keys. */
import { randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  auditKeyFiles,
  type ClientKind,
  type ClientRequest,
  certificateNames,
  createAccess,
  isRole,
  listClients,
  openAuditKeys,
  readKeySet,
  registerMachine,
  rotateClient,
  setClientDisabled,
  storeClient,
} from '../access/index.ts';
import { loadConfig, systemClock } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import { createFhirStore, FhirError } from '../fhir/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operator } from './operator.ts';

const usage = `clients list
clients add <tenant> <client id> --kind backend --establishment <Organization id> --role <role>… --scope <scope>… <proof>
clients add <tenant> <client id> --kind public-app|confidential-app --scope <scope>… --redirect <address>… [--launch <address>] <proof>
clients rotate <client id> <proof>
clients disable|enable <client id>
  <proof>: --keys <file or https address> and/or --certificate <PEM file>… and/or --subject <PEM file>…
  also: --name <name> --device <Device id> --lifetime <seconds, 60 to 3600>`;

const options = {
  kind: { type: 'string' },
  name: { type: 'string' },
  establishment: { type: 'string' },
  device: { type: 'string' },
  role: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  redirect: { type: 'string', multiple: true },
  launch: { type: 'string' },
  keys: { type: 'string' },
  certificate: { type: 'string', multiple: true },
  subject: { type: 'string', multiple: true },
  lifetime: { type: 'string' },
} as const;

type Values = ReturnType<typeof parsed>['values'];

export async function clients(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  const config = loadConfig(env);
  const database = await openConfiguredDatabase(config, { visitor: true });
  try {
    const store = await createFhirStore({ database, checkReferences: false });
    const auditKeys = openAuditKeys(auditKeyFiles(config));
    const access = await createAccess({ database, store, clock: config.clock, secure: false, auditKeys });
    const contextIn = (tenant: string) => ({
      ...{ tenant, ...operator(env), requestId: randomUUID(), interaction: `operator:clients-${positionals[0]}` },
      now: () => config.clock.now(),
    });
    const registry = {
      ...{ database, now: systemClock.now(), keyHosts: config.clients.keyHosts },
      parametersOf: store.searchParameters,
    };
    const print = (line: string) => process.stdout.write(`${line}\n`);
    const tell = (tenant: string, id: string, details: Record<string, string>) =>
      access.recordActivity(contextIn(tenant), { kind: 'account-change', details: { client: id, ...details } });
    try {
      const [action, first, id] = positionals;
      if (action === 'list') {
        for (const tenant of await database.tenants()) {
          for (const client of await listClients(database, tenant)) {
            const state = client.disabled ? 'disabled' : 'active';
            const whose = client.organizationId ? `Organization/${client.organizationId}` : '-';
            print([tenant, client.id, client.kind, whose, client.scopes.join(' '), state].join('  '));
          }
        }
      } else if (action === 'add' && first && id) {
        const request = await requestOf(first, id, values);
        const roles = rolesOf(values, request.kind);
        if (request.kind === 'backend') {
          await registerMachine({ ...registry, store, access }, contextIn(first), request, {
            roles,
            ...(values.device === undefined ? {} : { device: values.device }),
          });
        } else await storeClient(registry, request);
        await tell(first, id, { kind: request.kind, scopes: request.scopes.join(' ') });
        print(`${id}: registered`);
      } else if (action === 'rotate' && first) {
        const client = await rotateClient(registry, first, await proofOf(values));
        await tell(client.tenant, first, { change: 'keys' });
        print(`${first}: its old keys and its tokens have ended`);
      } else if ((action === 'disable' || action === 'enable') && first) {
        const client = await setClientDisabled(database, first, action === 'disable', registry.now);
        await tell(client.tenant, first, { change: action });
        print(`${first}: ${action}d`);
      } else throw new CommandError(usage);
      return 0;
    } finally {
      await access.close();
    }
  } catch (error) {
    const isWrong = error instanceof FhirError || (error instanceof Error && error.name === 'RegistrationError');
    throw isWrong ? new CommandError(error.message) : error;
  } finally {
    await database.close();
  }
}

async function requestOf(tenant: string, id: string, values: Values): Promise<ClientRequest> {
  const { kind = '', establishment, launch, lifetime } = values;
  if (kind !== 'backend' && kind !== 'public-app' && kind !== 'confidential-app') {
    throw new CommandError('--kind is backend, public-app or confidential-app.');
  }
  return {
    ...{ tenant, id, kind, display: values.name ?? id },
    ...(establishment === undefined ? {} : { organizationId: establishment }),
    // Several may stand in one argument, as OAuth writes them.
    scopes: (values.scope ?? []).flatMap((text) => text.split(/\s+/)).filter((text) => text !== ''),
    redirectUris: values.redirect ?? [],
    ...(launch === undefined ? {} : { launchUri: launch }),
    ...(await proofOf(values)),
    ...(lifetime === undefined ? {} : { accessSeconds: Number(lifetime) }),
  };
}

function rolesOf({ role = [] }: Values, kind: ClientKind): string[] {
  const unknown = role.find((name) => !isRole(name));
  if (unknown !== undefined) throw new CommandError(`"${unknown}" is not a role.`);
  if (kind === 'backend' && role.length === 0) throw new CommandError('A machine needs a --role.');
  return role;
}

async function proofOf({
  keys,
  certificate = [],
  subject = [],
}: Values): Promise<Pick<ClientRequest, 'keys' | 'certificates'>> {
  const byItself = await Promise.all(certificate.map(async (file) => certificateNames(await pem(file)).fingerprint));
  const bySubject = await Promise.all(subject.map(async (file) => certificateNames(await pem(file)).subject));
  const certificates = [...byItself, ...bySubject];
  if (keys === undefined) return { certificates };
  if (URL.canParse(keys)) return { certificates, keys: { url: keys } };
  try {
    return { certificates, keys: { set: readKeySet(await readFile(keys, 'utf8')) } };
  } catch (error) {
    throw new CommandError(`${keys}: ${(error as Error).message}`);
  }
}

async function pem(file: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await readFile(file));
  } catch (error) {
    throw new CommandError(`${file} is no certificate (${(error as Error).message}).`);
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n${usage}`);
  }
}
