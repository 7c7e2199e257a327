import type { CodeSystem } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closureOf, HierarchyCircleError } from '../../../src/fhir/terminology/load/closure.ts';
import { type LoadableSystem, storeSystem } from '../../../src/fhir/terminology/load/store-system.ts';
import { findLoaded, loadedSystem } from '../../../src/fhir/terminology/loaded-system.ts';
import { memoryContent } from '../../../src/fhir/terminology/memory-content.ts';
import { memorySystem } from '../../../src/fhir/terminology/memory-system.ts';
import type { Selection } from '../../../src/fhir/terminology/selection.ts';
import type { KnownSystem } from '../../../src/fhir/terminology/system.ts';
import { type TestRoom, testRoom } from './room.ts';

let room: TestRoom;
beforeAll(async () => {
  room = await testRoom();
});
afterAll(() => room.close());

/** Concepts of which each may stand below any of those before it, in any written order. */
const hierarchies = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 14 })
  .map((rows) => rows.map((row, index) => (index === 0 ? [] : [...new Set(row.map((n) => n % index))])));

const words = ['Œil', 'tête', 'main gauche', 'Échographie', 'os'];

const systems = fc
  .tuple(hierarchies, fc.array(fc.nat({ max: 63 }), { minLength: 14, maxLength: 14 }), fc.infiniteStream(fc.nat()))
  .map(([parents, traits, shuffle]): CodeSystem => {
    const concept = parents.map((above, index) => {
      const trait = traits[index]!;
      return {
        code: `c${index}`,
        ...(trait % 4 === 0 ? {} : { display: words[trait % words.length]! }),
        ...(trait % 3 === 0 ? { designation: [{ language: 'en', value: `eye ${trait}` }] } : {}),
        property: [
          ...above.map((n) => ({ code: 'parent', valueCode: `c${n}` })),
          ...(trait % 2 === 0 ? [{ code: 'side', valueCode: trait % 8 === 0 ? 'left' : 'right' }] : []),
          ...(trait % 5 === 0 ? [{ code: 'inactive', valueBoolean: true }] : []),
          ...(trait % 7 === 0 ? [{ code: 'notSelectable', valueBoolean: true }] : []),
        ],
      };
    });
    const order = concept.map((_, index) => [shuffle.next().value as number, index] as const).sort(([a], [b]) => a - b);
    return {
      resourceType: 'CodeSystem',
      url: 'urn:test:random',
      version: '1',
      status: 'active',
      content: 'complete',
      property: [{ code: 'side', type: 'code' }],
      concept: order.map(([, index]) => concept[index]!),
    };
  });

const someCode = fc.nat({ max: 15 }).map((n) => `c${n}`);
type Operator = Extract<Selection, { kind: 'filter' }>['op'];
const filter = (property: string, op: Operator, value: string): Selection => ({ kind: 'filter', property, op, value });
const operators = <T extends Operator>(...list: T[]) => fc.constantFrom<Operator[]>(...list);

const filters: fc.Arbitrary<Selection> = fc.oneof(
  operators('is-a', 'descendent-of', 'is-not-a', 'generalizes').map((op) => filter('concept', op, 'c0')),
  fc
    .tuple(fc.constantFrom('parent', 'child', 'ancestor', 'concept'), operators('=', 'in', 'not-in'), someCode)
    .map(([property, op, value]) => filter(property, op, value)),
  fc
    .tuple(fc.constantFrom('side', 'display', 'parent', 'child', 'code'), fc.constantFrom('true', 'false'))
    .map(([property, value]) => filter(property, 'exists', value)),
  fc.constantFrom(
    filter('side', '=', 'left'),
    filter('side', 'not-in', 'left,up'),
    filter('side', 'regex', 'l.*|r'),
    filter('code', 'regex', 'c1.?'),
    filter('display', 'regex', '.*e'),
    filter('inactive', '=', 'false'),
    filter('notSelectable', '=', 'true'),
  ),
);
const selections: fc.Arbitrary<Selection> = fc.letrec<{ selection: Selection }>((tie) => ({
  selection: fc.oneof(
    { maxDepth: 3 },
    filters,
    fc.constant<Selection>({ kind: 'all' }),
    fc
      .array(someCode, { maxLength: 5 })
      .map((codes): Selection => ({ kind: 'codes', concepts: codes.map((code) => ({ code })) })),
    tie('selection').map((of): Selection => ({ kind: 'not', of })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('selection'), { maxLength: 3 }))
      .map(([kind, of]): Selection => ({ kind, of })),
  ),
})).selection;

const questions = fc.record({
  selection: selections,
  text: fc.option(fc.constantFrom('oe', 'TETE', 'main g', 'eye', 'c1', 'zz', ''), { nil: undefined }),
  activeOnly: fc.boolean(),
  selectableOnly: fc.boolean(),
});

async function load(system: LoadableSystem): Promise<KnownSystem> {
  await store('aa', system);
  return over((await findLoaded(sql(), 'aa', { url: system.info.url }))!);
}
const store = (tenant: string, system: LoadableSystem) =>
  room.database.transaction(tenant, (connection) => storeSystem(connection, tenant, system, { now: new Date() }));
const over = (scope: NonNullable<Awaited<ReturnType<typeof findLoaded>>>) => loadedSystem(scope, sql());
const sql = () => ({
  query: ((text: string | { text: string }, values?: readonly unknown[]) =>
    room.database.query('aa', text, values)) as Parameters<typeof findLoaded>[0]['query'],
});

describe('a system in tables', () => {
  it('answers as the same system in memory does', async () => {
    await fc.assert(
      fc.asyncProperty(systems, fc.array(questions, { minLength: 6, maxLength: 6 }), async (resource, asked) => {
        const content = memoryContent(resource);
        const memory = memorySystem(content, sql());
        const tables = await load({ info: content.info, concepts: content.concepts });
        for (const { selection, text, ...flags } of asked) {
          const options = { ...flags, ...(text === undefined ? {} : { text }), offset: 0, limit: 100 };
          const [one, other] = [await memory.select(selection, options), await tables.select(selection, options)];
          const sorted = (list: { code: string }[]) => [...list].sort((a, b) => (a.code < b.code ? -1 : 1));
          const bare = ({ parents, ...rest }: (typeof one.concepts)[number]) => ({
            ...rest,
            parents: [...parents].sort(),
          });
          expect(sorted(other.concepts.map(bare))).toEqual(sorted(one.concepts.map(bare)));
          expect(other.total).toBe(one.total);
          const second = await tables.select(selection, { ...options, offset: 1, limit: 2 });
          expect(second.concepts).toEqual(other.concepts.slice(1, 3));
          for (const code of ['c0', 'c1', 'c9'])
            expect(await tables.contains(selection, code)).toBe(await memory.contains(selection, code));
        }
        for (const code of ['c0', 'c3', 'c20']) {
          expect(await tables.subsumption('c0', code)).toEqual(await memory.subsumption('c0', code));
          expect((await tables.children(code)).sort()).toEqual((await memory.children(code)).sort());
          for (const direction of ['above', 'below'] as const) {
            const related = async (system: KnownSystem) => (await system.related(code, direction, 100))?.sort();
            expect(await related(tables)).toEqual(await related(memory));
          }
        }
      }),
      { numRuns: 12 },
    );
  });

  it('is replaced whole or not at all', async () => {
    const info = { url: 'urn:test:replaced', version: '1', name: 'Replaced', properties: [] };
    const concept = (code: string, ...parents: string[]) => ({
      ...{ code, parents, designations: [], properties: [], abstract: false, inactive: false },
    });
    const codes = async () =>
      (await (await load0()).select({ kind: 'all' }, { offset: 0, limit: 10 })).concepts.map(({ code }) => code);
    const load0 = async () => over((await findLoaded(sql(), 'aa', { url: info.url }))!);
    await load({ info, concepts: [concept('a'), concept('b', 'a')] });
    expect(await codes()).toEqual(['a', 'b']);
    const bad = async (...concepts: LoadableSystem['concepts']) => store('aa', { info, concepts });
    await expect(bad(concept('a'), concept('a'))).rejects.toThrow('le code a y est deux fois');
    await expect(bad(concept('a', 'x'))).rejects.toThrow('est sous x');
    await expect(bad(concept('a', 'b'), concept('b', 'a'))).rejects.toThrow('tourne en rond');
    const long = { code: 'p', type: 'string' as const, value: 'x'.repeat(700) };
    await expect(bad({ ...concept('z'), properties: [long] })).rejects.toThrow('plus de 600 caractères');
    expect(await codes()).toEqual(['a', 'b']);
    await load({ info: { ...info, version: '2' }, concepts: [concept('c')] });
    expect(await codes()).toEqual(['c']);
    const { rows } = await room.database.query(
      'aa',
      'SELECT count(*)::int AS n FROM terminology.code_system WHERE url = $1',
      [info.url],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('of the platform is read by every tenant and changed by none of them', async () => {
    const info = { url: 'urn:test:platform', name: 'P', properties: [], valueSet: 'urn:test:platform/vs' };
    const concepts = [{ code: 'a', designations: [], properties: [], parents: [], abstract: false, inactive: false }];
    await store('platform', { info, concepts });
    expect(await room.terminology.validateCode('bb', { system: info.url, code: 'a' })).toEqual({ valid: true });
    expect(await room.terminology.expand('bb', info.valueSet)).toEqual([{ system: info.url, code: 'a' }]);
    const removed = await room.database.query('bb', 'DELETE FROM terminology.concept');
    expect(removed.rowCount).toBe(0);
    await expect(
      room.database.query('bb', `INSERT INTO terminology.posting VALUES ('platform', 1, 'word', 'x', '{1}')`),
    ).rejects.toThrow('row-level security');
  });

  it('of another tenant is not seen', async () => {
    const info = { url: 'urn:test:private', name: 'P', properties: [] };
    await store('aa', { info, concepts: [] });
    expect(await room.terminology.validateCode('aa', { system: info.url, code: 'a' })).toEqual({ valid: false });
    expect(await room.terminology.validateCode('bb', { system: info.url, code: 'a' })).toBeUndefined();
  });
});

describe('the closure of a hierarchy', () => {
  it('is what following every parent finds', () => {
    fc.assert(
      fc.property(hierarchies, (parents) => {
        const { order, ancestors } = closureOf(parents);
        const naive = (index: number): Set<number> =>
          new Set(parents[index]!.flatMap((parent) => [parent, ...naive(parent)]));
        expect([...order].sort((a, b) => a - b)).toEqual(parents.map((_, index) => index));
        for (const [position, index] of order.entries()) {
          const above = Array.from(ancestors[position]!, (at) => order[at]!);
          expect(new Set(above)).toEqual(naive(index));
          for (const at of ancestors[position]!) expect(at).toBeLessThan(position);
        }
      }),
    );
  });

  it('is refused for a circle', () => {
    expect(() => closureOf([[], [0, 2], [1]])).toThrow(HierarchyCircleError);
  });
});
