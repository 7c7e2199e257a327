/** Machines and third-party apps (docs/access/machines.md): register them, list them, shut them off, give them other keys. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type ClientKind,
  type ClientRequest,
  certificateNames,
  everyPolicy,
  isRole,
  listClients,
  readKeySet,
  registerMachine,
  rotateClient,
  setClientDisabled,
  storeClient,
} from '../access/index.ts';
import { systemClock } from '../config/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { inOperatorRoom } from './operator-room.ts';

const usage = `clients list
clients add <groupe> <client> --kind backend --establishment <Organization> --role <rôle>… --scope <droit>… <preuve>
clients add <groupe> <client> --kind public-app|confidential-app --scope <droit>… --redirect <adresse>… [--launch <adresse>] <preuve>
clients rotate <client> <preuve>
clients disable|enable <client>
  <preuve> : --keys <fichier ou adresse https> et/ou --certificate <fichier PEM>… et/ou --subject <fichier PEM>…
  aussi : --name <nom> --device <Device> --lifetime <secondes, 60 à 3600>`;

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
  return inOperatorRoom(env, async ({ config, database, store, access, context, print }) => {
    const contextIn = (tenant: string) => context(tenant, `operator:clients-${positionals[0]}`);
    const registry = {
      ...{ database, now: systemClock.now(), keyHosts: config.clients.keyHosts },
      parametersOf: store.searchParameters,
    };
    const tell = (tenant: string, id: string, details: Record<string, string>) =>
      access.recordActivity(contextIn(tenant), { kind: 'account-change', details: { client: id, ...details } });
    const [action, first, id] = positionals;
    if (action === 'list') {
      for (const tenant of await database.tenants()) {
        for (const client of await listClients(database, tenant)) {
          const state = client.disabled ? 'fermé' : 'actif';
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
      print(`${id} : enregistré`);
    } else if (action === 'rotate' && first) {
      const client = await rotateClient(registry, first, await proofOf(values));
      await tell(client.tenant, first, { change: 'keys' });
      print(`${first} : ses anciennes clés et ses jetons ne valent plus`);
    } else if ((action === 'disable' || action === 'enable') && first) {
      const client = await setClientDisabled(database, first, action === 'disable', registry.now);
      await tell(client.tenant, first, { change: action });
      print(`${first} : ${action === 'disable' ? 'fermé' : 'rouvert'}`);
    } else throw new CommandError(usage);
    return 0;
  });
}

async function requestOf(tenant: string, id: string, values: Values): Promise<ClientRequest> {
  const { kind = '', establishment, launch, lifetime } = values;
  if (kind !== 'backend' && kind !== 'public-app' && kind !== 'confidential-app') {
    throw new CommandError('--kind : backend, public-app ou confidential-app.');
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
  if (unknown !== undefined)
    throw new CommandError(
      `« ${unknown} » n’est pas un rôle : ${everyPolicy()
        .map(({ role: known }) => known)
        .join(', ')}.`,
    );
  if (kind === 'backend' && role.length === 0) throw new CommandError('Une machine demande un --role.');
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
    throw new CommandError(`${keys} : ${(error as Error).message}.`);
  }
}

async function pem(file: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await readFile(file));
  } catch (error) {
    throw new CommandError(
      `${file} n’est pas un certificat PEM (${(error as NodeJS.ErrnoException).code ?? 'illisible'}).`,
    );
  }
}

function parsed(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}
