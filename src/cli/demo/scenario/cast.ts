/** Who takes part: everybody signs in with the demonstration's password when first needed, machines have their token. */
import { demoAccounts } from '../../demonstration/index.ts';
import type { ChildServer } from '../child-server.ts';
import { type Caller, signIn, withToken } from '../people.ts';

/** Accounts of people in `src/cli/demonstration/people.ts`. */
export type Login =
  | 'radiologue'
  | 'radiologue2'
  | 'radiologue3'
  | 'expert'
  | 'demandeur'
  | 'manipulateur'
  | 'coordonnateur'
  | 'qualite'
  | 'auditeur'
  | 'admin';

export interface Cast {
  person(login: Login): Promise<Caller>;
  machine(login: 'ris-demo' | 'conformance'): Promise<Caller & { token: string }>;
  /** Another process answers from now on: sessions and tokens stay good, addresses do not. */
  forget(): void;
}

/** As the timeline calls them. */
export function displayName(login: Login | 'ris-demo'): string {
  return demoAccounts.find((account) => account.login === login)?.display ?? login;
}

export function createCast(server: () => ChildServer, password: string): Cast {
  const people = new Map<string, Promise<Caller>>();
  const machines = new Map<string, Promise<Caller & { token: string }>>();
  const once = <T>(known: Map<string, Promise<T>>, login: string, make: () => Promise<T>): Promise<T> => {
    const made = known.get(login) ?? make();
    known.set(login, made);
    return made;
  };
  return {
    person: (login) => once(people, login, () => signIn(server().httpUrl, login, password)),
    machine: (login) =>
      once(machines, login, async () => {
        const token = await server().token(login);
        return { ...withToken(server().httpUrl, token), token };
      }),
    forget() {
      people.clear();
      machines.clear();
    },
  };
}
