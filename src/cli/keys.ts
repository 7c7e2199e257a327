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
        print(`${known}${index === 0 ? '  scelle' : '  ouvre ce qu’elle a scellé'}`);
      }
      return 0;
    case 'rotate': {
      if (config.dataKeys.text !== undefined) {
        // A command cannot change the environment of a server: here is what to put in front.
        print(newKeyLine(config.clock.now()).trim());
        print('Mettez cette clé en tête de DATA_KEYS, suivie d’une virgule, redémarrez, puis lancez « keys rewrap ».');
        return 0;
      }
      openConfiguredVault(config);
      const fresh = rotateKeyFile(dataKeysFile(config), config.clock.now());
      await inDataRoom(env, (room) => tell(room, 'rotate', { key: fresh }));
      print(
        `${fresh} scelle désormais ; les serveurs en marche suivent en quelques secondes. Sauvegardez le trousseau, puis lancez « keys rewrap ».`,
      );
      return 0;
    }
    case 'rewrap':
    case 'seal':
      return inDataRoom(env, rewrapAll);
    case 'retire': {
      if (id === undefined || config.dataKeys.text !== undefined) {
        throw new CommandError(
          'keys retire <clé>, pour un trousseau dans un fichier ; dans DATA_KEYS, retirez la clé vous-même.',
        );
      }
      return inDataRoom(env, async (room) => {
        const ring = dataKeysFile(config);
        if (Date.now() - (await stat(ring)).mtimeMs < longestUseMs) {
          throw new CommandError(
            'Le trousseau a changé il y a moins de deux heures : ce qui est en cours de réception peut encore utiliser la clé.',
          );
        }
        const code = await rewrapAll(room);
        if (code !== 0) throw new CommandError('Tout n’a pas pu passer sous la nouvelle clé : l’ancienne reste.');
        const columns = await columnsSealedWith(room.database, id);
        if (columns.length > 0)
          throw new CommandError(`Encore scellé avec elle : ${columns.join(', ')}. La clé reste.`);
        retireKey(ring, id);
        await tell(room, 'retire', { key: id });
        print(`${id} est retirée : les sauvegardes scellées avec elle ne s’ouvrent plus.`);
        return 0;
      });
    }
    default:
      throw new CommandError(`« ${action} » est inconnu : list, rotate, rewrap, seal ou retire.`);
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
    print(`${tenant}  ${result.sealed} images scellées, ${result.rewrapped} fichiers passés sous la clé`);
    for (const blob of result.damaged) process.stderr.write(`image absente ou abîmée : ${tenant}/${blob}\n`);
  }
  print(`${await rewrapBulkFiles(vault, config.dataDir)} fichiers d’exports et d’imports passés sous la clé`);
  print(`${await resealAccounts(database, vault)} secrets de comptes scellés de nouveau`);
  print(`${await resealHeaders(database, vault)} secrets de Subscription scellés de nouveau`);
  await tell(room, 'rewrap', { key: vault.ring.current().id, damaged: String(damaged) });
  return damaged === 0 ? 0 : 1;
}

async function tell({ access, context }: DataRoom, act: string, details: Record<string, string>): Promise<void> {
  await access.recordActivity(context(platformTenant, `operator:keys-${act}`), {
    kind: 'operator-command',
    details,
  });
}
