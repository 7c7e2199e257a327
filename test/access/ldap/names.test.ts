import fc from 'fast-check';
import { EqualityFilter, FilterParser } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { comparableName } from '../../../src/access/ldap/distinguished-name.ts';
import { escapeNameValue, fillBindName, fillFilter } from '../../../src/access/ldap/escape.ts';

describe('a name inside a filter', () => {
  it('stays one value whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (login) => {
        const filter = FilterParser.parseString(fillFilter('(uid={login})', { login }));
        expect(filter).toBeInstanceOf(EqualityFilter);
        expect(String((filter as EqualityFilter).value)).toBe(login);
      }),
    );
  });

  it.each([
    ['*', '(uid=\\2a)'],
    ['x)(objectClass=*', '(uid=x\\29\\28objectClass=\\2a)'],
    ['a\\b', '(uid=a\\5cb)'],
    ['a\0', '(uid=a\\00)'],
  ])('has no meaning there: %j', (login, filter) => {
    expect(fillFilter('(uid={login})', { login })).toBe(filter);
  });

  it('is filled in once: a name that looks like a template is a name', () => {
    expect(fillFilter('(&(uid={login})(member={dn}))', { login: '{dn}', dn: 'cn=x' })).toBe(
      '(&(uid={dn})(member=cn=x))',
    );
  });
});

describe('a name inside a distinguished name', () => {
  it('stays one value', () => {
    expect(fillBindName('uid={login},ou=people', 'x,ou=admins')).toBe('uid=x\\2cou\\3dadmins,ou=people');
    expect(fillBindName('{login}@chu.example', 'x')).toBe('x@chu.example');
    expect(escapeNameValue(' #a ')).toBe('\\20#a\\20');
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const name = `uid=${escapeNameValue(value)},ou=people`;
        expect(comparableName(name).endsWith(',ou=people')).toBe(true);
        expect(comparableName(name).replace(/\\./g, '').split(',')).toHaveLength(2);
      }),
    );
  });
});

describe('two distinguished names', () => {
  it.each([
    ['CN=Radiologues,OU=Groups,DC=chu', 'cn=radiologues, ou=groups , dc=CHU'],
    ['cn=a\\,b,dc=x', 'cn=a\\2Cb,dc=x'],
    ['cn=\\C3\\A9quipe,dc=x', 'cn=équipe,dc=x'],
    ['cn=a+sn=b,dc=x', 'sn=b+cn=a,dc=x'],
  ])('are the same: %s and %s', (one, other) => {
    expect(comparableName(one)).toBe(comparableName(other));
  });

  it.each([
    ['cn=a\\,ou=b,dc=x', 'cn=a,ou=b,dc=x'],
    ['cn=a\\+sn=b,dc=x', 'cn=a+sn=b,dc=x'],
    ['cn=admins,dc=x', 'ou=admins,dc=x'],
    ['cn=a,dc=x', 'cn=a,dc=x,dc=y'],
  ])('differ: %s and %s', (one, other) => {
    expect(comparableName(one)).not.toBe(comparableName(other));
  });
});
