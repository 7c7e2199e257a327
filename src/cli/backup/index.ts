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

const usage = 'backup --to <folder | file.backup> [--keep-days <days>] | backup verify --from <folder | file.backup>';
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Takes a backup beside the running server, verifies it, and removes those that are older than `--keep-days`. */
export async function backup(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  if (positionals[0] === 'verify' && values.from) return verifyBackup(values.from, env);
  const { to, 'keep-days': keep } = values;
  if (positionals.length > 0 || to === undefined) throw new CommandError(usage);
  const keepDays = keep === undefined ? undefined : Number(keep);
  if (keepDays !== undefined && !(Number.isInteger(keepDays) && keepDays >= 1))
    throw new CommandError('--keep-days is a number of days.');
  return inDataRoom(env, async ({ config, database, access, keys, vault, context }) => {
    if ((await clearBlobs(database)) > 0) {
      throw new CommandError('Some images are older than the vault and lie in clear: run "keys seal" first.');
    }
    const begin = performance.now();
    const before = to.endsWith('.backup') ? undefined : (await archivesIn(to).catch(() => [])).at(-1);
    const { path, manifest, blobs } = await takeBackup(config, database, vault, to);
    const rows = manifest.entries.reduce((sum, entry) => sum + (entry.rows ?? 0), 0);
    print(`${path}  ${megabytes((await stat(path)).size)}  written and verified in ${seconds(begin)}`);
    print(
      `  ${rows} rows of ${manifest.entries.filter(({ kind }) => kind === 'table').length} tables, as of ${manifest.snapshotAt}`,
    );
    print(`  ${blobs.count} files of images (${megabytes(blobs.bytes)}), ${blobs.copied} copied now`);
    if (before)
      print(
        `  the backup before is ${minutes(Date.parse(manifest.snapshotAt) - instantOf(before).getTime())} older: what would have been lost at most (RPO)`,
      );
    print(
      `  sealed with ${vault.ring.current().id}: without the key ring this backup opens nowhere, keep it elsewhere`,
    );
    if (keepDays !== undefined && before !== undefined) {
      const removed = await removeOldBackups(vault, keys, to, keepDays, new Date());
      print(`  ${removed.archives.length} old archives and ${removed.blobs} files of images removed`);
    }
    await access.recordActivity(context(platformTenant, 'operator:backup'), {
      kind: 'export',
      details: { archive: manifest.id, rows: String(rows), images: String(blobs.count) },
    });
    for (const name of blobs.missing) process.stderr.write(`missing image: ${name}\n`);
    return blobs.missing.length === 0 ? 0 : 1;
  });
}

/** Restores into an empty database and data folder. */
export async function restore(args: string[], env: Environment): Promise<number> {
  const { from } = parsed(args).values;
  if (from === undefined) throw new CommandError('restore --from <folder | file.backup>');
  const config = loadConfig(env);
  if (await findServer(config.port)) throw new CommandError('A server is running here: stop it before a restore.');
  const archive = await archiveAt(from);
  if (archive === undefined) throw new CommandError(`There is no backup in ${from}.`);
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
      `${archive}  signed by ${key}${isKnownKey ? '' : ' (not known on this machine before: compare it with "audit-key list" elsewhere)'}`,
    );
    print(`  ${rows} rows and ${blobs} files of images restored; counts are those of the archive`);
    print(
      `  RTO ${seconds(begin)}; RPO: as of ${manifest.snapshotAt}, ${minutes(Date.now() - Date.parse(manifest.snapshotAt))} ago`,
    );
    const database = openDatabase(server.url, server.adminUrl);
    try {
      if (!(await searchesUseTheirIndex(database))) {
        print(`  searches cannot use their index: let a superuser run: ${leakproofStatements}`);
      }
    } finally {
      await database.close();
    }
    for (const name of missing) process.stderr.write(`missing image: ${name}\n`);
    print('  now run "audit-verify", then start the server');
    return missing.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

async function verifyBackup(from: string, env: Environment): Promise<number> {
  const config = loadConfig(env);
  const archive = await archiveAt(from);
  if (archive === undefined) throw new CommandError(`There is no backup in ${from}.`);
  const begin = performance.now();
  const keys = openAuditKeys(auditKeyFiles(config));
  const { manifest, key } = await readArchive(openConfiguredVault(config), keys, archive);
  print(`${archive}  whole, signed by ${key}, as of ${manifest.snapshotAt}; read in ${seconds(begin)}`);
  return 0;
}

function parsed(args: string[]) {
  const options = { to: { type: 'string' }, from: { type: 'string' }, 'keep-days': { type: 'string' } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
