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

const privacyUsage = `privacy register <groupe> [--json]
privacy export <groupe> <Patient> --to <dossier> --for <clé publique>…
privacy open <dossier> --to <dossier> --identity <fichier de la clé privée>
  <clé publique> : age1…, de qui doit lire (faite par age-keygen) ; à sa place --in-clear, pour un support déjà chiffré`;

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
      for (const name of register.undescribed) process.stderr.write(`pas décrit dans mappings/privacy : ${name}\n`);
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
        `${values.to} : ${total(resources)} ressources, ${documents} documents, ${images} images, et qui y a eu accès`,
      );
      if (values['in-clear'])
        room.print('Le dossier est en clair : remettez-le sur un support chiffré, puis effacez-le.');
      return 0;
    }
    throw new CommandError(privacyUsage);
  });
}

/** `run [tenant] [--dry-run]`. */
export function retention(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  const [action, tenant] = positionals;
  if (action !== 'run') throw new CommandError('retention run [groupe] [--dry-run]');
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
            `${name}  ${establishment}  ${retentionDays} jours : ${cases.length} dossiers, ${references.size} ressources partiraient`,
          );
        }
        continue;
      }
      for (const { due, destroyed, files } of await runRetention(room, name, room.config.clock.now())) {
        room.print(
          `${name}  ${due.establishment}  ${due.cases.length} dossiers, ${destroyed.images} images détruits ; ${files.join(' ')}`,
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
      room.print(
        `${name} : entier ; ${of}${establishment ? `, ${establishment}` : ''}, ${at}, ${files.length} fichiers`,
      );
      return 0;
    }
    const tenant = await knownTenant(room, name);
    const about: Contract = { tenant, ...(values.establishment ? { establishment: values.establishment } : {}) };
    if (action === 'return' && values.to) {
      const { resources, images, documents, files } = await returnData(room, about, values.to, await sealingOf(values));
      room.print(
        `${values.to} : ${total(resources)} ressources, ${images} images, ${documents} documents en ${files.length} fichiers`,
      );
      return 0;
    }
    if (action === 'destroy' && values.return) {
      const wanted = values.establishment ?? tenant;
      if (values.confirm !== wanted) throw new CommandError(`C’est sans retour : ajoutez --confirm ${wanted}`);
      if (tenant === platformTenant) throw new CommandError('La plateforme elle-même ne se détruit pas.');
      const { destroyed, files } = await destroyData(room, about, values.return);
      room.print(
        `${total(destroyed.resources)} versions de ressources et ${destroyed.images} images détruites ; ${files.join(' ')}`,
      );
      return 0;
    }
    throw new CommandError(
      'contract return <groupe> [--establishment <Organization>] --to <dossier> --for <clé publique>… (ou --in-clear) | verify <dossier> | destroy <groupe> [--establishment <Organization>] --return <dossier> --confirm <nom>',
    );
  });
}

async function open(folder: string, to: string, identityFile: string): Promise<number> {
  const key = /^AGE-SECRET-KEY-\S+$/m.exec(await readFile(identityFile, 'utf8'))?.[0];
  if (key === undefined) throw new CommandError(`${identityFile} ne contient aucune clé privée (AGE-SECRET-KEY-…).`);
  process.stdout.write(`${to} : ${await openFolder(folder, to, key)} fichiers\n`);
  return 0;
}

async function knownTenant({ database }: DataRoom, tenant = ''): Promise<string> {
  if (!(await database.tenants()).includes(tenant))
    throw new CommandError(
      tenant === ''
        ? 'Nommez un groupe : voyez « tenants list ».'
        : `Aucun groupe « ${tenant} » : voyez « tenants list ».`,
    );
  return tenant;
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function parsed(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}
