/** Work that must come to an end whatever it is: V8 stops it, loops and regular expressions included. */
import { createRequire } from 'node:module';
import { type Context, createContext, Script } from 'node:vm';

/** @returns what runs work for `ms` at most; it answers whether the work came to its end. What the work throws is thrown. */
export function createTimeLimit(ms: number): (work: () => void) => boolean {
  const script = new Script('work()');
  let context: Context | undefined;
  return (work) => {
    // A context takes half a millisecond to make; most processes need none.
    context ??= createContext({});
    context.work = work;
    try {
      script.runInContext(context, { timeout: ms });
      return true;
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      forgetHalfLoaded();
      return false;
    } finally {
      delete context.work;
    }
  };
}

/** The work may have been loading the interpreter of FHIRPath when it was stopped: the next one loads it whole. */
function forgetHalfLoaded(): void {
  const { cache } = createRequire(import.meta.url);
  for (const [path, module] of Object.entries(cache)) if (module?.loaded === false) delete cache[path];
}
