import { decode, frenchReason, listReceived, MllpError, readReceived, sendMessage } from '../adapters/hl7v2/index.ts';
import type { Config } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/**
 * HL7 v2 messages received: `list [outcome]`, `show <tenant> <control id> [sender]`, `replay` likewise. A replay goes through
 * the front door (MLLP_PORT): what was accepted before is answered as before, what was refused is decided anew.
 */
export function messages(args: string[], env: Environment): Promise<number> {
  const [action = 'list', first, controlId, sender] = args;
  return inAuditRoom(env, async ({ config, database, tell }) => {
    /** The message, once the trail knows who looks at it. */
    const taken = async () => {
      const raw = await kept(database, first, controlId, sender);
      const details = { controlId: controlId! };
      await tell(first!, `operator:messages-${action}`, { kind: 'operator-command', details });
      return raw;
    };
    switch (action) {
      case 'list':
        await list(database, first);
        return 0;
      case 'show':
        process.stdout.write(`${decode(await taken()).text.replaceAll('\r', '\n')}\n`);
        return 0;
      case 'replay': {
        const raw = await taken();
        const answer = decode(await presented(raw, config)).text;
        process.stdout.write(`${answer.replaceAll('\r', '\n')}\n`);
        return answer.includes('\rMSA|AA|') ? 0 : 1;
      }
      default:
        throw new CommandError(`« ${action} » est inconnu : list, show ou replay.`);
    }
  });
}

/** @throws CommandError when no answer comes. */
async function presented(raw: Buffer, { host, mllpPort: port }: Config): Promise<Buffer> {
  return sendMessage({ host, port }, raw).catch((error: unknown) => {
    if (!(error instanceof MllpError)) throw error;
    throw new CommandError(
      `Pas de réponse en MLLP à ${host}:${port} : ${frenchReason(error)}. Le serveur doit tourner, à ce MLLP_PORT.`,
    );
  });
}

async function list(database: Database, outcome: string | undefined): Promise<void> {
  for (const tenant of await database.tenants()) {
    for (const message of await listReceived(database, tenant, outcome)) {
      const { at, partner, messageType, controlId, outcome: given, reason } = message;
      const why = reason ? `  ${reason}` : '';
      process.stdout.write(
        `${tenant}  ${at.toISOString()}  ${partner}  ${messageType}  ${controlId}  ${given}${why}\n`,
      );
    }
  }
}

async function kept(
  database: Database,
  tenant: string | undefined,
  controlId: string | undefined,
  sender: string | undefined,
): Promise<Buffer> {
  if (!tenant || !controlId) throw new CommandError('Lequel ? npm run passerelle -- messages show <groupe> <MSH-10>');
  const [found, ...others] = await readReceived(database, tenant, controlId, sender);
  if (others.length > 0) {
    const names = [found, ...others].map((each) => `« ${each?.partner} »`).join(', ');
    throw new CommandError(
      `Plusieurs émetteurs ont employé ${controlId} : ajoutez celui dont c'est le message, entre guillemets (${names}).`,
    );
  }
  if (!found) throw new CommandError(`Le groupe ${tenant} n’a reçu aucun message ${controlId}.`);
  return found.raw;
}
