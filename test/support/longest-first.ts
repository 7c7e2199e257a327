/**
 * The files that take longest come first, so that none is left to run alone at the end. Vitest does so by what it measured in the run before,
 * and by size in a first one, as every run of a fresh checkout is: size says nothing of a proof or of a browser.
 */
import { BaseSequencer, type TestSequencer, type TestSpecification, type Vitest } from 'vitest/node';

/** Each took more than seven seconds of two cores. */
const longest = [
  'test/ui/night.test.ts',
  'test/teleradiology/exploration/exploration.test.ts',
  'test/cli/commands.test.ts',
  'test/security/tenants/search.test.ts',
  'test/main-job.test.ts',
  'test/backup/backup.test.ts',
  'test/fhir/rest/concurrency.test.ts',
  'test/ui/identity-page.test.ts',
  'test/security/tenants/interactions.test.ts',
  'test/teleradiology/identity/decisions.test.ts',
  'test/cli/mistakes.test.ts',
  'test/security/tenants/addresses.test.ts',
  'test/cli/built-server.test.ts',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = longest.findIndex((path) => moduleId.endsWith(path));
  return place === -1 ? longest.length : place;
};

/** Made with `new` by Vitest. */
export function LongestFirst(context: Vitest): TestSequencer {
  const usual = new BaseSequencer(context);
  return {
    shard: (files) => usual.shard(files),
    sort: async (files) => (await usual.sort(files)).sort((one, other) => placeOf(one) - placeOf(other)),
  };
}
