/** `backup` and `restore`: see the section of docs/guide-exploitation.md. */
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { auditKeyFiles, openAuditKeys } from '../../access/index.ts';
import { loadConfig } from '../../config/index.ts';
import {
  leakproofStatements,
  openConfiguredServer,
  openDatabase,
  platformTenant,
  searchesUseTheirIndex,
} from '../../db/index.ts';
import { openConfiguredVault } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';
import { inDataRoom } from '../data-room.ts';
import type { Environment } from '../environment.ts';
import { findServer } from '../running-server.ts';
import { readArchive } from './archive-reader.ts';
import { archiveAt, archivesIn, instantOf, removeOldBackups } from './keep.ts';
import { restoreBackup } from './restore.ts';
import { clearBlobs, takeBackup } from './take.ts';

const usage =
  'backup --to <dossier | fichier.backup> [--keep-days <jours>] | backup verify --from <dossier | fichier.backup>';
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Takes a backup beside the running server, verifies it, and removes those that are older than `--keep-days`. */
export async function backup(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  if (positionals[0] === 'verify' && values.from) return verifyBackup(values.from, env);
  const { to, 'keep-days': keep } = values;
  if (positionals.length > 0 || to === undefined) throw new CommandError(usage);
  const keepDays = keep === undefined ? undefined : Number(keep);
  if (keepDays !== undefined && !(Number.isInteger(keepDays) && keepDays >= 1))
    throw new CommandError('--keep-days : un nombre de jours, 1 au moins.');
  return inDataRoom(env, async ({ config, database, access, keys, vault, context }) => {
    if ((await clearBlobs(database)) > 0) {
      throw new CommandError('Des images d’avant le coffre sont encore en clair : lancez d’abord « keys seal ».');
    }
    const begin = performance.now();
    const before = to.endsWith('.backup') ? undefined : (await archivesIn(to).catch(() => [])).at(-1);
    const { path, manifest, blobs } = await takeBackup(config, database, vault, to);
    const rows = manifest.entries.reduce((sum, entry) => sum + (entry.rows ?? 0), 0);
    print(`${path}  ${megabytes((await stat(path)).size)}  écrite et vérifiée en ${seconds(begin)}`);
    print(
      `  ${rows} lignes de ${manifest.entries.filter(({ kind }) => kind === 'table').length} tables, à l’instant ${manifest.snapshotAt}`,
    );
    print(`  ${blobs.count} fichiers d’images (${megabytes(blobs.bytes)}), dont ${blobs.copied} copiés à l’instant`);
    if (before)
      print(
        `  la sauvegarde précédente est plus vieille de ${minutes(Date.parse(manifest.snapshotAt) - instantOf(before).getTime())} : ce qui aurait été perdu au plus (RPO)`,
      );
    print(
      `  scellée avec ${vault.ring.current().id} : sans le trousseau elle ne s’ouvre nulle part, gardez-le ailleurs`,
    );
    if (keepDays !== undefined && before !== undefined) {
      const removed = await removeOldBackups(vault, keys, to, keepDays, new Date());
      print(`  anciennes sauvegardes retirées : ${removed.archives.length}, avec ${removed.blobs} fichiers d’images`);
    }
    await access.recordActivity(context(platformTenant, 'operator:backup'), {
      kind: 'export',
      details: { archive: manifest.id, rows: String(rows), images: String(blobs.count) },
    });
    for (const name of blobs.missing) process.stderr.write(`image absente : ${name}\n`);
    return blobs.missing.length === 0 ? 0 : 1;
  });
}

/** Restores into an empty database and data folder. */
export async function restore(args: string[], env: Environment): Promise<number> {
  const { from } = parsed(args).values;
  if (from === undefined) throw new CommandError('restore --from <dossier | fichier.backup>');
  const config = loadConfig(env);
  if (await findServer(config.port))
    throw new CommandError(`Un serveur tourne ici, au port ${config.port} : arrêtez-le avant de restaurer.`);
  const archive = await archiveAt(from);
  if (archive === undefined) throw new CommandError(`Aucune sauvegarde dans ${from}.`);
  const vault = openConfiguredVault(config);
  const begin = performance.now();
  const server = await openConfiguredServer(config);
  try {
    const { manifest, rows, blobs, missing, key, isKnownKey } = await restoreBackup(
      config,
      server.adminUrl,
      vault,
      archive,
    );
    print(
      `${archive}  signée par ${key}${isKnownKey ? '' : ' (clé inconnue de cette machine jusqu’ici : comparez avec « audit-key list » ailleurs)'}`,
    );
    print(`  ${rows} lignes et ${blobs} fichiers d’images restaurés, autant que l’archive en annonce`);
    print(
      `  RTO ${seconds(begin)} ; RPO : à l’instant ${manifest.snapshotAt}, il y a ${minutes(Date.now() - Date.parse(manifest.snapshotAt))}`,
    );
    const database = openDatabase(server.url, server.adminUrl);
    try {
      if (!(await searchesUseTheirIndex(database))) {
        print(
          `  les recherches ne peuvent pas utiliser leur index : faites lancer par un superutilisateur : ${leakproofStatements}`,
        );
      }
    } finally {
      await database.close();
    }
    for (const name of missing) process.stderr.write(`image absente : ${name}\n`);
    print('  lancez maintenant « audit-verify », puis le serveur');
    return missing.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

async function verifyBackup(from: string, env: Environment): Promise<number> {
  const config = loadConfig(env);
  const archive = await archiveAt(from);
  if (archive === undefined) throw new CommandError(`Aucune sauvegarde dans ${from}.`);
  const begin = performance.now();
  const keys = openAuditKeys(auditKeyFiles(config));
  const { manifest, key } = await readArchive(openConfiguredVault(config), keys, archive);
  print(`${archive}  entière, signée par ${key}, à l’instant ${manifest.snapshotAt} ; lue en ${seconds(begin)}`);
  return 0;
}

function parsed(args: string[]) {
  const options = { to: { type: 'string' }, from: { type: 'string' }, 'keep-days': { type: 'string' } } as const;
  return parseArgs({ args, options, allowPositionals: true });
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} Mo`;
}
