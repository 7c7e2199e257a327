/** People, certificates and rotas of the invented hospital. */
import type { Communication, Parameters, ParametersParameter, Practitioner, Resource, Slot } from '@medplum/fhirtypes';
import { systemContext } from '../../../src/fhir/index.ts';
import { shiftOn } from '../../../src/teleradiology/rota/calendar.ts';
import { tenant, type Who, type World } from './world.ts';

export const qualificationSystem = 'https://fhir.passerelle.example/CodeSystem/qualification';
export const codes = ['diploma', 'radioprotection', 'insurance', 'liability'] as const;
export const paris = 'Europe/Paris';

type Value = string | { reference: string };

const parametersOf = (values: Record<string, Value>): Parameters => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, value]) =>
    typeof value === 'string' ? { name, valueString: value } : { name, valueReference: value },
  ),
});

/** Runs an operation that is not about a case. */
export async function ask<R extends Resource = Parameters>(
  world: World,
  who: Who,
  operation: string,
  id: string | undefined,
  values: Record<string, Value> = {},
): Promise<R> {
  const [type, name] = operation.split('/$');
  const found = world.store.operations.find((each) => each.name === name && each.type === type);
  if (found === undefined) throw new Error(`no operation ${operation}`);
  return world.store.transaction(world.as(who, `operation:${operation}`), async (tx) => {
    const answer = await found.run({
      tx,
      ...(id === undefined ? {} : { id }),
      parameters: parametersOf(values),
      base: 'http://localhost/fhir',
      query: '',
      authorize: () => undefined,
      isAllowed: () => true,
    });
    if (!('resourceType' in answer)) throw new Error(`${operation} answered no resource`);
    return answer as R;
  });
}

/** Writes somebody's certificates: by code, their first and last day; those that are not said have no end. */
export async function certify(
  world: World,
  practitioner: string,
  periods: Partial<Record<(typeof codes)[number], { start?: string; end?: string } | null>> = {},
  who: Who = 'administrator',
): Promise<void> {
  await world.store.transaction(world.as(who, 'update'), async (tx) => {
    const known = await tx.read('Practitioner', practitioner);
    const qualification: Practitioner['qualification'] = codes.flatMap((code) => {
      const period = periods[code];
      if (period === null) return [];
      return [{ code: { coding: [{ system: qualificationSystem, code }] }, ...(period ? { period } : {}) }];
    });
    await tx.update({ ...known, qualification });
  });
}

/** Plans a shift by the clock on the wall. */
export function plan(
  world: World,
  day: string,
  from: string,
  to: string,
  practitioner = 'radiologue',
  kind = 'radiologist',
): Promise<Slot & { id: string }> {
  const { start, end } = shiftOn(day, from, to, paris);
  return ask(world, 'coordinator', 'Organization/$plan-duty', 'ch-exemple', {
    practitioner: { reference: `Practitioner/${practitioner}` },
    kind,
    start: start.toISOString(),
    end: end.toISOString(),
  });
}

export const publish = (world: World, month: string): Promise<Parameters> =>
  ask(world, 'coordinator', 'Schedule/$publish', undefined, {
    establishment: { reference: 'Organization/ch-exemple' },
    month,
  });

/** Messages of a category so far, oldest first. */
export const told = (world: World, category: string): Promise<Communication[]> =>
  world.store.search(tenant, 'Communication', `category=${category}&_sort=sent,_id`);

export const textsOf = (messages: readonly Communication[]): string[] =>
  messages.map((each) => each.payload?.[0]?.contentString ?? '');

/** Values of a parameter, by their parts. */
export function partsOf(parameters: Parameters, name: string): Record<string, unknown>[] {
  const value = (part: ParametersParameter): unknown =>
    part.valueReference?.reference ?? Object.entries(part).find(([key]) => key.startsWith('value'))?.[1];
  return (parameters.parameter ?? [])
    .filter((each) => each.name === name)
    .map((each) => Object.fromEntries((each.part ?? []).map((part) => [part.name, value(part)])));
}

export function valueGiven(parameters: Parameters, name: string): unknown {
  const found = parameters.parameter?.find((each) => each.name === name);
  return found && Object.entries(found).find(([key]) => key.startsWith('value'))?.[1];
}

export const asSystem = (world: World) => systemContext(tenant, 'system:test', world.clock);

/** Status and French text of what refuses. */
export async function refusalOf(work: Promise<unknown>): Promise<{ status: number; text: string }> {
  try {
    await work;
  } catch (error) {
    const { status, outcome } = error as { status: number; outcome: { issue: { details?: { text?: string } }[] } };
    return { status, text: outcome.issue[0]?.details?.text ?? '' };
  }
  throw new Error('nothing was refused');
}
