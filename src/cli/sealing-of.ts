/** `--for` and `--in-clear` of the commands that hand data over: nothing leaves in clear unless that is asked for (SE-12). */
import { inClear, type Sealing, sealedFor, VaultError } from '../vault/index.ts';
import { CommandError } from './command-error.ts';

/** @throws CommandError when nobody is named that could read it, and clear text is not asked for. */
export async function sealingOf(values: { for?: string[]; 'in-clear'?: boolean }): Promise<Sealing> {
  if (values['in-clear'] === true) return inClear;
  if (values.for === undefined)
    throw new CommandError(
      'Dites qui doit lire : --for <clé publique, age1…>, ou --in-clear pour un support déjà chiffré.',
    );
  return sealedFor(values.for).catch((error: unknown) => {
    throw error instanceof VaultError ? new CommandError(error.message) : error;
  });
}
