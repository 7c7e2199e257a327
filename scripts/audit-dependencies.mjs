// What we ship of others (SE-1): under licences we may ship, and without advisories of high or critical severity. The licences are
// judged from the lock file; the advisories are asked of the registry, and when it does not answer that is said, not passed over.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const timeoutMs = 20_000;
const failing = new Set(['high', 'critical']);

/** SPDX names of licences whose terms this project keeps by shipping the texts that come with the packages. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
  'Zlib',
]);
/** Packages that do not name their licence where machines look: read in the package, by a person. */
const readByPerson = new Map([
  ['png-js', 'MIT'],
  ['rechoir', 'MIT'],
]);

/** @returns the value of `--name value`, if given. */
function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** Production packages of a lock file: name, version, licence. */
function shipped(lock) {
  return Object.entries(lock.packages).flatMap(([path, { version, license, dev, link }]) => {
    if (path === '' || dev || link) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [{ name, version, licence: license ?? readByPerson.get(name) }];
  });
}

/** Whether an SPDX expression can be met: one side of each OR, both of each AND. */
function isAllowed(licence) {
  const text = licence.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(text)) return false;
  return text.split(' OR ').some((side) => side.split(' AND ').every((name) => allowed.has(name)));
}

function registry() {
  const named = option('registry') ?? process.env.npm_config_registry;
  if (named) return named.replace(/\/$/, '');
  const asked = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' });
  return (asked.stdout?.trim() || 'https://registry.npmjs.org').replace(/\/$/, '');
}

/** Advisories by package. @throws when the registry cannot be asked. */
async function advisories(packages) {
  const versions = {};
  for (const { name, version } of packages) versions[name] = [...new Set([...(versions[name] ?? []), version])];
  const answer = await fetch(`${registry()}/-/npm/v1/security/advisories/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(versions),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  return answer.json();
}

const lockFile = option('lock') ?? fileURLToPath(new URL('../package-lock.json', import.meta.url));
const packages = shipped(JSON.parse(readFileSync(lockFile, 'utf8')));
let failures = 0;

for (const { name, version, licence } of packages) {
  if (licence !== undefined && isAllowed(licence)) continue;
  failures++;
  console.error(`licence: ${name} ${version} is under ${licence ?? 'no licence it names'}, which is not on the list`);
}
if (failures === 0) console.log(`licences: ${packages.length} production packages, all on the list`);

try {
  const found = Object.entries(await advisories(packages)).flatMap(([name, list]) =>
    list.map((one) => ({ name, ...one })),
  );
  for (const { name, severity, title, url } of found) {
    const isFailing = failing.has(severity);
    if (isFailing) failures++;
    console[isFailing ? 'error' : 'log'](`advisory: ${name}: ${severity}: ${title} (${url})`);
  }
  if (found.length === 0) console.log('advisories: none is known for the production packages');
} catch (error) {
  console.error(
    `advisories: NOT CHECKED, the registry could not be asked (${error.message}); ask another with --registry`,
  );
  if (process.argv.includes('--strict')) failures++;
}
process.exit(failures > 0 ? 1 : 0);
