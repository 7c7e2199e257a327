/** What commands that act on the data work with: the operator's room and the vault. */
import { loadConfig } from '../config/index.ts';
import { openConfiguredVault, type Vault } from '../vault/index.ts';
import type { Environment } from './environment.ts';
import { inOperatorRoom, type OperatorRoom } from './operator-room.ts';

export interface DataRoom extends OperatorRoom {
  vault: Vault;
}

/** Opens the room for one command, and closes it whatever becomes of the command. */
export async function inDataRoom<T>(env: Environment, work: (room: DataRoom) => Promise<T>): Promise<T> {
  const config = loadConfig(env);
  const vault = openConfiguredVault(config);
  return inOperatorRoom(env, (room) => work({ ...room, vault }), config);
}
