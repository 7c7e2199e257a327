import { parseArgs } from 'node:util';
import { platformTenant } from '../db/index.ts';
import { listLoaded, loadKinds, loadTerminology, removeLoaded, systemContext } from '../fhir/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { inOperatorRoom } from './operator-room.ts';

const options = {
  tenant: { type: 'string', default: platformTenant },
  version: { type: 'string' },
  url: { type: 'string' },
  keep: { type: 'boolean' },
} as const;

/**
 * Code systems from their official files: `load <kind> <file or folder>`, `list`, `remove <url> [version]`. What the tenant `platform`
 * loads, every tenant reads.
 */
export async function terminology(args: string[], env: Environment): Promise<number> {
  const { positionals, values } = parsed(args);
  const [action, ...rest] = positionals;
  return inOperatorRoom(env, async ({ config, database, store, print }) => {
    if (!(await database.tenants()).includes(values.tenant))
      throw new CommandError(`Aucun groupe « ${values.tenant} » : voyez « tenants list ».`);
    const context = systemContext(values.tenant, `system:terminology-${action}`, config.clock);
    switch (action) {
      case 'load': {
        const [kind, path] = rest;
        if (!kind || !path) throw new CommandError(`terminology load <${loadKinds.join('|')}> <fichier ou dossier>`);
        const begin = performance.now();
        await loadTerminology(store, context, kind, path, {
          ...(values.version ? { version: values.version } : {}),
          ...(values.url ? { url: values.url } : {}),
          ...(values.keep ? { keepOthers: true } : {}),
          progress: (line) => print(`${seconds(begin)}  ${line}`),
        });
        print(`${seconds(begin)}  chargé pour ${values.tenant}`);
        break;
      }
      case 'list':
        for (const { url, version, title, concepts, loadedAt } of await store.transaction(context, listLoaded))
          print(`${url}|${version}  ${title}  ${concepts} concepts  ${loadedAt.toISOString()}`);
        break;
      case 'remove': {
        const [url, version] = rest;
        if (!url) throw new CommandError('terminology remove <url> [version]');
        const removed = await store.transaction(context, (tx) => removeLoaded(tx, url, version));
        if (removed === 0)
          throw new CommandError(`Rien n’est chargé sous ${url} pour ${values.tenant} : voyez « terminology list ».`);
        print(`retirés : ${removed}`);
        break;
      }
      default:
        throw new CommandError(
          action === undefined
            ? 'terminology load | list | remove'
            : `« ${action} » est inconnu : load, list ou remove.`,
        );
    }
    return 0;
  });
}

function parsed(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s`;
}
