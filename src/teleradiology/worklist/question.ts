/** What `Task/$worklist` is asked: its parameters, by GET or in a Parameters resource. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { FhirError, parameterNamed } from '../../fhir/index.ts';
import { kindDefinition } from '../kinds/index.ts';
import { decodeCursor, type WorklistCursor } from './cursor.ts';
import { type Stage, stages } from './place.ts';

export interface Question {
  stages?: ReadonlySet<Stage>;
  /** Organization ids. */
  within?: ReadonlySet<string>;
  /** Codes of kinds of cases. */
  kinds?: ReadonlySet<string>;
  mine: boolean;
  count: number;
  cursor?: WorklistCursor;
  /** `_include`s as the search takes them, URL-encoded. */
  includes: readonly string[];
  /** Everything but the cursor, URL-encoded, for links. */
  text: string;
}

const defaultCount = 50;
const countAtMost = 300;
const valuesAtMost = 100;
const includesAtMost = 20;
const known = ['stage', 'establishment', 'kind', 'mine', '_count', '_cursor', '_include'];

/** @throws FhirError 400 for what is not understood: a list that leaves something out silently is worse than none. */
export function questionOf(parameters: Parameters): Question {
  const all = parameters.parameter ?? [];
  const unknown = all.find(({ name }) => !known.includes(name));
  if (unknown)
    throw refusal(`${unknown.name.slice(0, 64)} is not a parameter of $worklist: ${known.join(', ')}`, unknown.name);
  const values = (name: string): string[] => all.filter((each) => each.name === name).flatMap(valuesOf);
  const last = (name: string): string | undefined => values(name).at(-1);
  const asked = values('stage').map((text) => {
    const stage = stages.find((each) => each === text);
    if (stage === undefined) throw refusal(`stage is one of ${stages.join(', ')}`, 'stage');
    return stage;
  });
  const within = values('establishment').map((text) => text.replace(/^Organization\//, ''));
  if (within.length > valuesAtMost || within.some((id) => !/^[A-Za-z0-9.-]{1,64}$/.test(id)))
    throw refusal('establishment is the id of an Organization', 'establishment');
  const kinds = values('kind');
  if (kinds.some((code) => kindDefinition(code) === undefined)) throw refusal('kind is a code of case-kind', 'kind');
  const mine = last('mine') ?? 'false';
  if (mine !== 'true' && mine !== 'false') throw refusal('mine is true or false', 'mine');
  const count = last('_count') ?? String(defaultCount);
  if (!/^\d{1,9}$/.test(count)) throw refusal('_count is not a number', '_count');
  const includes = values('_include');
  if (includes.length > includesAtMost) throw refusal(`at most ${includesAtMost} includes`, '_include');
  const cursor = last('_cursor');
  return {
    ...(asked.length > 0 ? { stages: new Set(asked) } : {}),
    ...(within.length > 0 ? { within: new Set(within) } : {}),
    ...(kinds.length > 0 ? { kinds: new Set(kinds) } : {}),
    mine: mine === 'true',
    count: Math.min(countAtMost, Math.max(1, Number(count))),
    ...(cursor === undefined ? {} : { cursor: decodeCursor(cursor) }),
    includes: includes.map((value) => `_include=${encodeURIComponent(value)}`),
    text: known
      .filter((name) => name !== '_cursor')
      .flatMap((name) => values(name).map((value) => `${name}=${encodeURIComponent(value)}`))
      .join('&'),
  };
}

const listed = ['stage', 'establishment', 'kind'];

/** A parameter repeats, or lists values with commas. */
function valuesOf({ name, ...value }: ParametersParameter): string[] {
  const [only] = Object.values(value) as unknown[];
  if (only === undefined || typeof only === 'object') throw refusal(`${name} has no simple value`, name);
  const text = String(only);
  return listed.includes(name) ? text.split(',') : [text];
}

function refusal(diagnostics: string, name: string): FhirError {
  return new FhirError(400, 'invalid', diagnostics, parameterNamed(name));
}
