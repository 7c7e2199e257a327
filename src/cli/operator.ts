/** Who runs an operator's command: the machine's own account of that person; named accounts there are the operator's duty. */
import { hostname, userInfo } from 'node:os';
import type { Actor } from '../fhir/index.ts';
import type { Environment } from './environment.ts';

/** `SUDO_USER` when the command runs as another user: who typed it, not what it runs as. */
export function operatorName(env: Environment): string {
  return env.SUDO_USER ?? userInfo().username;
}

/** As the audit trail names them. */
export function operator(env: Environment): { actor: Actor; network: string } {
  const account = operatorName(env);
  return {
    actor: { reference: 'Device/passerelle', display: `exploitation (${account})`, account, kind: 'person', roles: [] },
    network: hostname(),
  };
}
