import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type ExportProof,
  readPosition,
  readPublicKeys,
  savePosition,
  verifyExport,
  writeExport,
} from '../access/index.ts';
import type { Sealing } from '../vault/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { faultText } from './fault-text.ts';
import { sealingOf } from './sealing-of.ts';

const usage = `audit-export write <dossier> [--tenant <groupe>] [--all] --for <clé publique, age1…>… (ou --in-clear)
audit-export verify <dossier> --keys <dossier>   (ouvert d’abord : privacy open <dossier> --to <dossier> --identity <fichier>)`;

/**
 * The trail as files: `write` adds what was sealed since the last time (or everything) below `<folder>/<tenant>`; `verify` proves such a folder
 * without any database. Exit code 1 when a link does not hold.
 */
export async function auditExport(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      tenant: { type: 'string' },
      all: { type: 'boolean' },
      keys: { type: 'string' },
      for: { type: 'string', multiple: true },
      'in-clear': { type: 'boolean' },
    },
  });
  const [action, folder] = positionals;
  if (!folder) throw new CommandError(usage);
  if (action === 'write')
    return write(resolve(folder), values.tenant, values.all === true, await sealingOf(values), env);
  if (action !== 'verify' || values.keys === undefined) throw new CommandError(usage);
  return verify(resolve(folder), resolve(values.keys));
}

function write(
  folder: string,
  named: string | undefined,
  isAll: boolean,
  sealing: Sealing,
  env: Environment,
): Promise<number> {
  return inAuditRoom(env, async ({ config, database, tenants, tell, seal }) => {
    for (const tenant of await tenants(named)) {
      await tell(tenant, 'operator:audit-export', { kind: 'export', details: { folder } });
      await seal(tenant);
      const after = isAll ? 0 : await readPosition(database, tenant, 'ndjson');
      const written = await writeExport(database, tenant, after, join(folder, tenant), sealing);
      if (!written) continue;
      await savePosition(database, tenant, 'ndjson', { number: written.last, at: config.clock.now() });
      process.stdout.write(
        `${tenant} : sceaux ${written.first} à ${written.last}, ${written.events} événements → ${written.folder}\n`,
      );
    }
    return 0;
  });
}

async function verify(folder: string, keys: string): Promise<number> {
  const trusted = await readPublicKeys(keys);
  if (trusted.size === 0) throw new CommandError(`Aucune clé publique dans ${keys}.`);
  const names = (await readdir(folder)).filter((name) => /^\d+-\d+$/.test(name));
  if (names.length === 0) throw new CommandError(`${folder} ne contient pas d’export : nommez le dossier d’un groupe.`);
  let before: ExportProof | undefined;
  if ((await readdir(join(folder, names[0]!))).some((name) => name.endsWith('.age')))
    throw new CommandError(
      'Ces fichiers sont chiffrés : ouvrez-les d’abord (privacy open <dossier> --to <dossier> --identity <fichier>).',
    );
  for (const name of names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
    const proof: ExportProof = await verifyExport(join(folder, name), trusted, before?.head);
    const { tenant, seals, rows, events, from, head, fault } = proof;
    const extent = `${seals} sceaux après le ${from.number}, ${rows} lignes, ${events} événements`;
    if (fault) {
      const place = [
        fault.seal && `sceau ${fault.seal}`,
        fault.row && `ligne ${fault.row}`,
        fault.event && `événement ${fault.event}`,
      ];
      process.stdout.write(
        `${name} : ROMPUE. ${faultText(fault.kind)} : ${place.filter(Boolean).join(', ')}. Prouvé avant : ${extent}\n`,
      );
      return 1;
    }
    process.stdout.write(`${name} : entière. ${tenant}, ${extent} ; tête ${head.number} ${head.digest}\n`);
    before = proof;
  }
  return 0;
}
