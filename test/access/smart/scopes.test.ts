import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithinScopes } from '../../../src/access/smart/scope-limits.ts';
import { commonScopes, readScope, readScopes, writeScope } from '../../../src/access/smart/scopes.ts';

describe('a scope', () => {
  it.each([
    ['system/Task.read', 'system/Task.rs'],
    ['user/*.write', 'user/*.cud'],
    ['patient/Observation.*', 'patient/Observation.cruds'],
    ['system/Task.rs?status=ready', 'system/Task.rs?status=ready'],
    [
      'user/Observation.s?category=http://loinc.org|1234-5&status=final',
      'user/Observation.s?category=http://loinc.org|1234-5&status=final',
    ],
    ['launch/patient', 'launch/patient'],
  ])('%s is %s', (text, written) => {
    const scope = readScope(text);
    expect(scope && writeScope(scope)).toBe(written);
  });

  it.each([
    'system/Task.',
    'system/Task.sr',
    'system/Task.rr',
    'system/task.rs',
    'system/Nothing.rs',
    'admin/Task.rs',
    'system/*.rs?status=ready',
    'system/Task.rs?',
    'system/Task.rs?status',
    'system/Task.rs?status:not=ready',
    'system/Task.rs?a=b?c=d e',
    'system/Task.rs ',
    'System/Task.rs',
    'launch/Practitioner',
    '',
  ])('%j is none', (text) => {
    expect(readScope(text)).toBeUndefined();
  });

  it('that is read and written again means the same, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyScope), (text) => {
        const scope = readScope(text);
        if (scope) expect(readScope(writeScope(scope))).toEqual(scope);
      }),
    );
  });
});

const anyScope = fc
  .tuple(
    fc.constantFrom('patient', 'user', 'system'),
    fc.constantFrom('*', 'Task', 'Patient', 'Observation'),
    fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }),
  )
  .map(([level, type, rights]) => `${level}/${type}.${rights.join('')}`);

describe('what is asked for and granted', () => {
  const system = ['system'] as const;

  it('never allows what one of both does not', () => {
    const demands = ['Task', 'Patient', 'Observation'].flatMap((type) =>
      ['create', 'read', 'update', 'delete', 'search-type'].map((interaction) => ({ interaction, type })),
    );
    const list = fc.array(anyScope, { maxLength: 6 });
    fc.assert(
      fc.property(list, list, (asked, granted) => {
        const common = commonScopes(readScopes(asked), readScopes(granted), ['system', 'user', 'patient']).map(
          writeScope,
        );
        for (const demand of demands) {
          if (!isWithinScopes({ scopes: common }, demand, [])) continue;
          expect(isWithinScopes({ scopes: asked }, demand, [])).toBe(true);
          expect(isWithinScopes({ scopes: granted }, demand, [])).toBe(true);
        }
      }),
    );
  });

  it('is held to the conditions of both', () => {
    const common = commonScopes(
      readScopes(['system/Task.rs?status=ready']),
      readScopes(['system/Task.rs?owner=Organization/1']),
      system,
    );
    expect(common.map(writeScope)).toEqual(['system/Task.rs?owner=Organization/1&status=ready']);
  });

  it('has no person, no patient and no refresh for a machine', () => {
    const all = readScopes(['system/*.rs', 'user/*.rs', 'patient/*.rs', 'openid', 'offline_access']);
    expect(commonScopes(all, all, system).map(writeScope)).toEqual(['system/*.rs']);
  });
});

describe('a token', () => {
  const operations = [
    { name: 'everything', type: 'Patient', affectsState: false },
    { name: 'sign', type: 'Task', affectsState: true },
    { name: 'claim', type: 'Task', affectsState: true },
    { name: 'break-glass', type: 'Patient', affectsState: true },
    { name: 'events', type: 'Subscription', affectsState: false },
    { name: 'graphql', affectsState: false },
  ] as const;
  const allows = (scopes: string[], demand: object) =>
    isWithinScopes({ scopes }, demand as Parameters<typeof isWithinScopes>[1], operations);

  it('reaches operations by the rights to their type', () => {
    expect(allows(['user/Patient.rs'], { interaction: 'operation', type: 'Patient', operation: '$everything' })).toBe(
      true,
    );
    expect(allows(['user/Patient.r'], { interaction: 'operation', type: 'Patient', operation: '$everything' })).toBe(
      false,
    );
    expect(allows(['user/Task.rs'], { interaction: 'operation:Task/$claim', type: 'Task' })).toBe(false);
    expect(allows(['user/Task.crus'], { interaction: 'operation:Task/$claim', type: 'Task' })).toBe(true);
    expect(allows(['user/Task.rs'], { interaction: 'operation', type: 'Task', operation: 'unheard-of' })).toBe(false);
    expect(allows(['user/Patient.rs'], { interaction: 'operation', operation: 'graphql' })).toBe(false);
    expect(allows(['user/*.rs'], { interaction: 'operation', operation: 'graphql' })).toBe(true);
  });

  it('never signs, nor declares an emergency, in a person’s place', () => {
    expect(allows(['user/*.cruds'], { interaction: 'operation:Task/$sign', type: 'Task' })).toBe(false);
    expect(allows(['user/*.cruds'], { interaction: 'operation', type: 'Patient', operation: 'break-glass' })).toBe(
      false,
    );
  });

  it('is told of events only when it may read everything', () => {
    const demand = { interaction: 'operation', type: 'Subscription', operation: 'events' };
    expect(allows(['user/Subscription.cruds', 'user/Patient.rs'], demand)).toBe(false);
    expect(allows(['user/*.rs'], demand)).toBe(true);
  });

  it('exports only what it may read whole', () => {
    const demand = { interaction: 'operation', operation: 'export' };
    expect(allows(['system/*.rs'], demand)).toBe(true);
    expect(allows(['system/*.cruds', 'system/Task.rs?status=ready'], demand)).toBe(false);
    expect(allows(['patient/*.cruds'], demand)).toBe(false);
    expect(allows(['system/Patient.rs'], { ...demand, type: 'Patient' })).toBe(false);
  });

  it('reaches images by ImagingStudy, and never by a scope with conditions', () => {
    expect(allows(['user/ImagingStudy.r'], { interaction: 'dicomweb:wado', type: 'ImagingStudy' })).toBe(true);
    expect(allows(['user/ImagingStudy.r'], { interaction: 'dicomweb:qido', type: 'ImagingStudy' })).toBe(false);
    expect(allows(['user/ImagingStudy.s'], { interaction: 'dicomweb:qido', type: 'ImagingStudy' })).toBe(true);
    expect(allows(['user/ImagingStudy.rs'], { interaction: 'dicomweb:stow', type: 'ImagingStudy' })).toBe(false);
    expect(allows(['patient/ImagingStudy.cruds'], { interaction: 'dicomweb:wado', type: 'ImagingStudy' })).toBe(false);
    expect(allows(['user/ImagingStudy.rs?status=available'], { interaction: 'dicomweb:wado' })).toBe(false);
  });

  it('about one patient reaches no trail, no file and no list', () => {
    for (const type of ['AuditEvent', 'Binary', 'Subscription', 'List', 'Group']) {
      expect(allows(['patient/*.cruds'], { interaction: 'read', type })).toBe(false);
    }
  });

  it('without scopes allows nothing but definitions', () => {
    expect(allows([], { interaction: 'read', type: 'Patient' })).toBe(false);
    expect(allows(['openid'], { interaction: 'search-type', type: 'Task' })).toBe(false);
    expect(allows([], { interaction: 'read', type: 'ValueSet' })).toBe(true);
    expect(allows([], { interaction: 'update', type: 'ValueSet' })).toBe(false);
  });
});
