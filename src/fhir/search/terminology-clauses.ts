/**
 * `:in`, `:not-in`, `:above` and `:below` of tokens (https://hl7.org/fhir/R4/search.html#modifiers): the terminology says which codes
 * they stand for before the search is put together.
 */
import { FhirError } from '../contract.ts';
import type { Coding, Terminology } from '../terminology/contract.ts';
import type { ResolvedClause } from './clause-test.ts';
import { splitBars, unescapeValue } from './escapes.ts';
import { invalid, notSupported, tooCostly } from './refusals.ts';
import type { Clause } from './request.ts';

/** Most codes one clause may stand for: each is a key to look up. */
const codeLimit = 5000;

/** Whether only a terminology can say what the clause means. */
export function asksTerminology({ parameter, modifier }: Clause): boolean {
  return parameter.type === 'token' && modifier !== undefined && ['in', 'not-in', 'above', 'below'].includes(modifier);
}

/**
 * The clause with its codes.
 * @throws FhirError 400 for a value set, system or code that is not known, 422 for one with too many codes.
 */
export async function resolveCodes(
  { terminology, tenant }: { terminology?: Terminology; tenant: string },
  clause: Clause,
): Promise<ResolvedClause> {
  if (!asksTerminology(clause)) return clause;
  const { parameter, modifier, values } = clause;
  if (!terminology)
    throw notSupported(`${parameter.code}:${modifier} needs a terminology, which this server has none of`);
  const codings: Coding[] = [];
  for (const value of values) {
    codings.push(
      ...(modifier === 'above' || modifier === 'below'
        ? await relatedCodings(terminology, tenant, parameter.code, value, modifier)
        : await codingsOf(terminology, tenant, unescapeValue(value))),
    );
    if (codings.length > codeLimit) {
      throw tooCostly(`${parameter.code}:${modifier} stands for more than ${codeLimit} codes: name a narrower one`);
    }
  }
  return { ...clause, codings };
}

async function codingsOf(terminology: Terminology, tenant: string, valueSet: string): Promise<readonly Coding[]> {
  const codings = await terminology.expand(tenant, valueSet, codeLimit);
  if (!codings) throw new FhirError(400, 'not-found', `ValueSet ${valueSet.slice(0, 200)} is not known here`);
  return codings;
}

async function relatedCodings(
  terminology: Terminology,
  tenant: string,
  parameter: string,
  value: string,
  direction: 'above' | 'below',
): Promise<Coding[]> {
  const [system, code, ...rest] = splitBars(value);
  if (!system || !code || rest.length > 0) throw invalid(`${parameter}:${direction} takes system|code`);
  const codes = await terminology.related(tenant, { system, code }, direction);
  if (!codes)
    throw new FhirError(400, 'not-found', `Code ${code.slice(0, 100)} of ${system.slice(0, 200)} is not known here`);
  return codes.map((related) => ({ system, code: related }));
}
