import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context, OperationAnswer } from '../../src/fhir/index.ts';
import { monthNamed } from '../../src/teleradiology/rota/index.ts';
import { contractOf, minutes } from './contract-terms/contracts.ts';
import { readyCase, report } from './support/requests.ts';
import { createWorld, hospital, type World } from './support/world.ts';

const minuteMs = 60_000;
let world: World;
beforeAll(async () => {
  world = await createWorld('2026-05-29T08:00:00Z');
  const contract = contractOf([
    {
      rule: 'one-hour',
      clock: 'interpretation',
      parts: [minutes(60)],
      penalties: [
        ['late-case', 30],
        ['started-hour', 10.5],
      ],
    },
  ]);
  await world.store.transaction(world.as('administrator'), (tx) => tx.create(contract));
});
afterAll(() => world.close());

/** Signs a case so many minutes after its images; asks the site a question in between. */
async function signedAfter(total: number, waiting = 0): Promise<string> {
  const { id } = await readyCase(world);
  if (waiting > 0) {
    await world.operate('radiologist', 'ask', id, { question: 'Créatinine ?' });
    world.clock.pass(waiting * minuteMs);
    await world.operate('requester', 'answer', id, { answer: '80 µmol/L' });
  }
  world.clock.pass((total - waiting) * minuteMs);
  await world.operate('radiologist', 'claim', id);
  await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
  await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
  return id;
}

async function penalties(
  month: string,
  format?: string,
  context: Context = world.as('coordinator'),
  id = 'ch-exemple',
) {
  const operation = world.store.operations.find(({ name }) => name === 'penalties');
  const parameter = [
    { name: 'month', valueString: month },
    ...(format === undefined ? [] : [{ name: 'format', valueCode: format }]),
  ];
  return world.store.transaction(context, async (tx) =>
    operation!.run({
      tx,
      id,
      parameters: { resourceType: 'Parameters', parameter },
      base: 'http://localhost/fhir',
      query: '',
      authorize: () => undefined,
      isAllowed: () => true,
    }),
  );
}
const named = (parameters: ParametersParameter[] | undefined, name: string) =>
  (parameters ?? []).filter((each) => each.name === name);
const runsOf = async (month: string) =>
  named(((await penalties(month)) as Parameters).parameter, 'run').map(({ part }) => ({
    task: named(part, 'case')[0]?.valueReference?.reference,
    minutes: named(part, 'lateMinutes')[0]?.valueUnsignedInt,
    net: named(part, 'netLateMinutes')[0]?.valueUnsignedInt,
    open: named(part, 'open')[0]?.valueBoolean,
    amount: named(part, 'amount')[0]?.valueMoney?.value,
  }));

describe('the penalties of a month', () => {
  it('are those of its late clocks by the clause each ran under, also after the contract changed', async () => {
    await signedAfter(50);
    const late = await signedAfter(75);
    const later = await signedAfter(150, 20);
    const [contract] = await world.store.search('aa', 'Contract', 'subject=Organization/ch-exemple');
    const dearer = contractOf([
      { rule: 'one-hour', clock: 'interpretation', parts: [minutes(60)], penalties: [['late-case', 999]] },
    ]);
    await world.store.transaction(world.as('coordinator'), (tx) => tx.update({ ...dearer, id: contract?.id }));
    const runs = (await runsOf('2026-05')).filter(({ amount }) => amount !== undefined);
    expect(runs).toEqual([
      { task: `Task/${late}`, minutes: 16, net: 16, open: false, amount: 40.5 },
      { task: `Task/${later}`, minutes: 91, net: 71, open: false, amount: 51 },
    ]);
    const answer = (await penalties('2026-05')) as Parameters;
    expect(named(answer.parameter, 'total')).toEqual([{ name: 'total', valueMoney: { value: 91.5, currency: 'EUR' } }]);
    await world.store.transaction(world.as('coordinator'), (tx) => tx.update({ ...contract!, status: 'executed' }));
  });

  it('count a case in the month its clock stopped, at the midnight of the establishment; one that runs on is of now', async () => {
    world.clock.set('2026-06-30T20:30:00Z');
    const june = await signedAfter(80);
    const july = await signedAfter(80);
    const { id: running } = await readyCase(world);
    world.clock.pass(61 * minuteMs + 5_000);
    const tasks = async (month: string) =>
      (await runsOf(month)).filter(({ amount }) => amount !== undefined).map(({ task, open }) => [task, open]);
    expect(await tasks('2026-06')).toEqual([[`Task/${june}`, false]]);
    expect(await tasks('2026-07')).toEqual([
      [`Task/${july}`, false],
      [`Task/${running}`, true],
    ]);
    expect(monthNamed('2026-07', 'Europe/Paris')?.start.toISOString()).toBe('2026-06-30T22:00:00.000Z');
    expect(monthNamed('2026-10', 'Europe/Paris')?.end.toISOString()).toBe('2026-10-31T23:00:00.000Z');
  });

  it('open in a spreadsheet, and name no patient', async () => {
    const answer = await penalties('2026-05', 'csv');
    const { type, body } = (answer as OperationAnswer).content ?? {};
    expect(type).toBe('text/csv; charset=utf-8');
    const lines = String(body).trim().split('\r\n');
    expect(lines[0]).toContain('"Dossier";"Horloge";"Clause"');
    expect(lines.filter((line) => line.includes('"40,50";"EUR"'))).toHaveLength(1);
    expect(String(body)).not.toContain('TEST-PATIENT');
  });

  it('are refused to who is bound to another establishment, and for what is no month or no establishment', async () => {
    const elsewhere = { ...world.as('coordinator'), establishments: ['ch-autre'] };
    await expect(penalties('2026-05', undefined, elsewhere)).rejects.toMatchObject({ status: 403 });
    await expect(penalties('2026-13')).rejects.toMatchObject({ status: 400 });
    await expect(penalties('2026-05', 'pdf')).rejects.toMatchObject({ status: 400 });
    await expect(penalties('2026-05', undefined, undefined, 'nowhere')).rejects.toMatchObject({ status: 404 });
    await world.store.transaction(world.as('administrator'), (tx) => tx.update(hospital([], 'ch-autre')));
    expect(await penalties('2026-05', undefined, elsewhere, 'ch-autre')).toMatchObject({
      parameter: expect.arrayContaining([{ name: 'late', valueUnsignedInt: 0 }]),
    });
  });
});
