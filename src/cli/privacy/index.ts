/** `privacy`, `retention` and `contract`: what the GDPR and the end of a contract ask of an operator (docs/access/data.md). */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { platformTenant } from '../../db/index.ts';
import { CommandError } from '../command-error.ts';
import { type DataRoom, inDataRoom } from '../data-room.ts';
import type { Environment } from '../environment.ts';
import { sealingOf } from '../sealing-of.ts';
import { type Contract, destroyData, returnData } from './contract-end.ts';
import { openFolder, verifyHandover } from './handover.ts';
import { exportPatient } from './patient-export.ts';
import { buildRegister, registerMarkdown } from './register.ts';
import { dueCases, retentionDaysOf, runRetention } from './retention.ts';

const options = {
  to: { type: 'string' },
  from: { type: 'string' },
  json: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  establishment: { type: 'string' },
  return: { type: 'string' },
  confirm: { type: 'string' },
  for: { type: 'string', multiple: true },
  'in-clear': { type: 'boolean' },
  identity: { type: 'string' },
} as const;

const privacyUsage = `privacy register <tenant> [--json]
privacy export <tenant> <patient id> --to <folder> --for <public key>…
privacy open <folder> --to <folder> --identity <file with the private key>
  <public key>: age1…, of whoever is to read it (made by age-keygen); --in-clear instead, for a medium that is encrypted itself`;

/** `register <tenant> [--json]`, `export <tenant> <patient id> --to <folder> --for <key>`, `open <folder> --to <folder> --identity <file>`. */
export function privacy(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  const [action, named, patient] = positionals;
  // What a hospital was handed it opens itself, wherever it is.
  if (action === 'open' && named && values.to && values.identity) return open(named, values.to, values.identity);
  return inDataRoom(env, async (room) => {
    if (!named) throw new CommandError(privacyUsage);
    const tenant = await knownTenant(room, named);
    if (action === 'register') {
      const register = await buildRegister(room, tenant, retentionDaysOf);
      room.print(values.json ? JSON.stringify(register, null, 2) : registerMarkdown(register));
      for (const name of register.undescribed) process.stderr.write(`not described in mappings/privacy: ${name}\n`);
      return register.undescribed.length === 0 ? 0 : 1;
    }
    if (action === 'export' && patient && values.to) {
      const { resources, images, documents } = await exportPatient(
        room,
        tenant,
        patient,
        values.to,
        await sealingOf(values),
      );
      room.print(
        `${values.to}: ${total(resources)} resources, ${documents} documents, ${images} images, and who had access`,
      );
      if (values['in-clear'])
        room.print('The folder is in clear: hand it over on an encrypted medium, then remove it.');
      return 0;
    }
    throw new CommandError(privacyUsage);
  });
}

/** `run [tenant] [--dry-run]`. */
export function retention(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  const [action, tenant] = positionals;
  if (action !== 'run') throw new CommandError('retention run [tenant] [--dry-run]');
  return inDataRoom(env, async (room) => {
    const tenants = tenant === undefined ? await room.database.tenants() : [await knownTenant(room, tenant)];
    for (const name of tenants) {
      if (values['dry-run']) {
        for (const { establishment, retentionDays, cases, references } of await dueCases(
          room,
          name,
          room.config.clock.now(),
        )) {
          room.print(
            `${name}  ${establishment}  ${retentionDays} days: ${cases.length} cases, ${references.size} resources would go`,
          );
        }
        continue;
      }
      for (const { due, destroyed, files } of await runRetention(room, name, room.config.clock.now())) {
        room.print(
          `${name}  ${due.establishment}  ${due.cases.length} cases, ${destroyed.images} images destroyed; ${files.join(' ')}`,
        );
      }
    }
    return 0;
  });
}

/** `return <tenant> --to <folder>`, `verify <folder>`, `destroy <tenant> --return <folder> --confirm <tenant>`; `--establishment <id>`. */
export function contract(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  const [action, name] = positionals;
  return inDataRoom(env, async (room) => {
    if (action === 'verify' && name) {
      const { tenant: of, establishment, at, files } = await verifyHandover(name, room.keys);
      room.print(`${name}: whole; ${of}${establishment ? `, ${establishment}` : ''}, ${at}, ${files.length} files`);
      return 0;
    }
    const tenant = await knownTenant(room, name);
    const about: Contract = { tenant, ...(values.establishment ? { establishment: values.establishment } : {}) };
    if (action === 'return' && values.to) {
      const { resources, images, documents, files } = await returnData(room, about, values.to, await sealingOf(values));
      room.print(
        `${values.to}: ${total(resources)} resources, ${images} images, ${documents} documents in ${files.length} files`,
      );
      return 0;
    }
    if (action === 'destroy' && values.return) {
      const wanted = values.establishment ?? tenant;
      if (values.confirm !== wanted) throw new CommandError(`This cannot be undone: add --confirm ${wanted}`);
      if (tenant === platformTenant) throw new CommandError('The platform itself is not destroyed.');
      const { destroyed, files } = await destroyData(room, about, values.return);
      room.print(
        `${total(destroyed.resources)} versions of resources and ${destroyed.images} images destroyed; ${files.join(' ')}`,
      );
      return 0;
    }
    throw new CommandError(
      'contract return <tenant> [--establishment <id>] --to <folder> --for <public key>… (or --in-clear) | verify <folder> | destroy <tenant> [--establishment <id>] --return <folder> --confirm <name>',
    );
  });
}

async function open(folder: string, to: string, identityFile: string): Promise<number> {
  const key = /^AGE-SECRET-KEY-\S+$/m.exec(await readFile(identityFile, 'utf8'))?.[0];
  if (key === undefined) throw new CommandError(`${identityFile} holds no private key (AGE-SECRET-KEY-…).`);
  process.stdout.write(`${to}: ${await openFolder(folder, to, key)} files\n`);
  return 0;
}

async function knownTenant({ database }: DataRoom, tenant = ''): Promise<string> {
  if (!(await database.tenants()).includes(tenant)) throw new CommandError(`There is no tenant "${tenant}".`);
  return tenant;
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
