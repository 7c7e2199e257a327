import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { problemsOf, sbomOf } from '../../src/cli/sbom/cyclonedx.ts';
import { inventoryOf, type Lock } from '../../src/cli/sbom/inventory.ts';

const lock = JSON.parse(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;
const sbom = JSON.parse(sbomOf(lock, new Date('2026-11-22T10:00:00Z')));

interface Component {
  name: string;
  group?: string;
  version: string;
  purl: string;
  'bom-ref': string;
  licenses?: object[];
  hashes?: { alg: string; content: string }[];
}
const components = sbom.components as Component[];

it('is valid CycloneDX 1.6, and what is not is noticed', () => {
  expect([sbom.bomFormat, sbom.specVersion]).toEqual(['CycloneDX', '1.6']);
  expect(problemsOf(sbom)).toEqual([]);
  expect(problemsOf({ ...sbom, components: [{ type: 'library' }] })).not.toEqual([]);
});

it('lists every production package of the lock file and no tool of development', () => {
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  expect(components.length).toBe(shipped.length);
  const names = components.map(({ group, name }) => (group ? `${group}/${name}` : name));
  expect(names).toEqual(expect.arrayContaining(['fastify', 'pg', '@medplum/core']));
  expect(names).not.toContain('vitest');
});

it('names version, address, licence and digest of each, as the lock file has them', () => {
  const fastify = components.find(({ name, group }) => name === 'fastify' && !group)!;
  const locked = lock.packages['node_modules/fastify']!;
  expect(fastify.purl).toBe(`pkg:npm/fastify@${locked.version}`);
  expect(fastify.licenses).toEqual([{ license: { id: 'MIT' } }]);
  const digest = Buffer.from(locked.integrity!.replace('sha512-', ''), 'base64').toString('hex');
  expect(fastify.hashes).toEqual([{ alg: 'SHA-512', content: digest }]);
  expect(components.filter(({ hashes }) => !hashes?.length)).toEqual([]);
});

it('tells who needs whom, nested versions included', () => {
  const nested: Lock = {
    name: 'x',
    version: '1.0.0',
    packages: {
      '': { version: '1.0.0', dependencies: { a: '1', b: '1' } },
      'node_modules/a': { version: '1.0.0', dependencies: { b: '2', absent: '1' } },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/tool': { version: '1.0.0', dev: true },
    },
  };
  expect(inventoryOf(nested).map(({ path, needs }) => [path, needs])).toEqual([
    ['', ['node_modules/a', 'node_modules/b']],
    ['node_modules/a', ['node_modules/a/node_modules/b']],
    ['node_modules/a/node_modules/b', []],
    ['node_modules/b', []],
  ]);
});
