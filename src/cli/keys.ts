/** `keys`: the master keys of data at rest (docs/decisions/0016-vault.md). */
import { stat } from 'node:fs/promises';
import { resealAccounts } from '../access/index.ts';
import { dataFolder, dataKeysFile, loadConfig } from '../config/index.ts';
import { platformTenant } from '../db/index.ts';
import { resealHeaders, rewrapBulkFiles } from '../fhir/index.ts';
import { keepAtRest, openBlobStore } from '../imaging/index.ts';
import { newKeyLine, openConfiguredVault, retireKey, rotateKeyFile } from '../vault/index.ts';
import { CommandError } from './command-error.ts';
import { type DataRoom, inDataRoom } from './data-room.ts';
import type { Environment } from './environment.ts';
import { columnsSealedWith } from './sealed-texts.ts';

/** A request may last an hour, and what it stores is sealed with the key that was current when it began. */
const longestUseMs = 2 * 3_600_000;

/** `list`, `rotate`, `rewrap` (also `seal`), `retire <id>`. */
export async function keys([action = 'list', id]: string[], env: Environment): Promise<number> {
  const config = loadConfig(env);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  switch (action) {
    case 'list':
      for (const [index, known] of openConfiguredVault(config).ring.ids().entries()) {
        print(`${known}${index === 0 ? '  seals' : '  opens what it sealed'}`);
      }
      return 0;
    case 'rotate': {
      if (config.dataKeys.text !== undefined) {
        // A command cannot change the environment of a server: here is what to put in front.
        print(newKeyLine(config.clock.now()).trim());
        print('Put this in front of DATA_KEYS, separated by a comma, restart, then run "keys rewrap".');
        return 0;
      }
      openConfiguredVault(config);
      const fresh = rotateKeyFile(dataKeysFile(config), config.clock.now());
      await inDataRoom(env, (room) => tell(room, 'rotate', { key: fresh }));
      print(
        `${fresh} seals from now on; running servers follow within seconds. Back the ring up, then run "keys rewrap".`,
      );
      return 0;
    }
    case 'rewrap':
    case 'seal':
      return inDataRoom(env, rewrapAll);
    case 'retire': {
      if (id === undefined || config.dataKeys.text !== undefined) {
        throw new CommandError('keys retire <id>, for a ring in a file; in DATA_KEYS, take the key out yourself.');
      }
      return inDataRoom(env, async (room) => {
        const ring = dataKeysFile(config);
        if (Date.now() - (await stat(ring)).mtimeMs < longestUseMs) {
          throw new CommandError(
            'The ring changed less than two hours ago: what is being received may still use the key.',
          );
        }
        const code = await rewrapAll(room);
        if (code !== 0) throw new CommandError('Not everything could be wrapped again: the key stays.');
        const columns = await columnsSealedWith(room.database, id);
        if (columns.length > 0) throw new CommandError(`Still sealed with it: ${columns.join(', ')}. The key stays.`);
        retireKey(ring, id);
        await tell(room, 'retire', { key: id });
        print(`${id} is gone: backups sealed with it do not open any more.`);
        return 0;
      });
    }
    default:
      throw new CommandError(`"${action}" is unknown: use list, rotate, rewrap, seal or retire.`);
  }
}

/** Everything on the disk under the current key: images, files of exports and imports. */
async function rewrapAll(room: DataRoom): Promise<number> {
  const { config, database, vault, print } = room;
  const blobs = await openBlobStore(dataFolder(config, 'blobs'), vault);
  let damaged = 0;
  for (const tenant of await database.tenants()) {
    const result = await keepAtRest(database, blobs, tenant);
    damaged += result.damaged.length;
    print(`${tenant}  ${result.sealed} images sealed, ${result.rewrapped} files wrapped again`);
    for (const blob of result.damaged) process.stderr.write(`missing or damaged image: ${tenant}/${blob}\n`);
  }
  print(`${await rewrapBulkFiles(vault, config.dataDir)} files of exports and imports wrapped again`);
  print(`${await resealAccounts(database, vault)} secrets of accounts sealed again`);
  print(`${await resealHeaders(database, vault)} secrets of Subscriptions sealed again`);
  await tell(room, 'rewrap', { key: vault.ring.current().id, damaged: String(damaged) });
  return damaged === 0 ? 0 : 1;
}

async function tell({ access, context }: DataRoom, act: string, details: Record<string, string>): Promise<void> {
  await access.recordActivity(context(platformTenant, `operator:keys-${act}`), {
    kind: 'operator-command',
    details,
  });
}
