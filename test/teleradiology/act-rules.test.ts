/** What an act owes beside its report (WF-8), by mappings/acts/rules.json. */
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActRules, owedBy, readActRules } from '../../src/teleradiology/kinds/index.ts';
import { runningOf } from '../../src/teleradiology/shell/case-clocks.ts';
import { gatherFacts } from '../../src/teleradiology/shell/gather-facts.ts';
import { childOf, complete, exam, outputs, readyCase, report } from './support/requests.ts';
import { createWorld, type World } from './support/world.ts';

const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
const ccam = (code: string) => ({ coding: [{ system: 'urn:oid:1.2.250.1.215.300.1', code }] });

describe('what an act owes', () => {
  it('is a second reading for the whole-body CT of a polytrauma, however it is coded or said', () => {
    const owed = (request: Parameters<typeof owedBy>[0]['request'], done: (object | undefined)[] = []) => [
      ...owedBy({ request, done: done as [] }),
    ];
    expect(owed({ code: loinc('72254-6') })).toEqual(['second-reading']);
    expect(owed({ code: { text: 'Scanner' } }, [loinc('46358-8')])).toEqual(['second-reading']);
    expect(owed({ code: ccam('ZZQH033'), reasonCode: [{ text: 'Poly-traumatisé, AVP' }] })).toEqual(['second-reading']);
    expect(owed({ code: ccam('ZZQH033'), reasonCode: [{ text: 'Bilan d’extension' }] })).toEqual([]);
    expect(owed({ code: { text: 'TDM corps entier' }, note: [{ text: 'POLYTRAUMATISE' }] })).toEqual([
      'second-reading',
    ]);
    expect(owed({ code: loinc('30799-1'), reasonCode: [{ text: 'Céphalée' }] })).toEqual([]);
  });

  it('is a complement for spectroscopy', () => {
    const request = { code: { text: 'IRM cérébrale' }, orderDetail: [{ text: 'avec spectroscopie du proton' }] };
    expect([...owedBy({ request, done: [] })]).toEqual(['complement']);
  });

  it('is what an establishment’s own rules say, where it has some', () => {
    const rules: ActRules = {
      ...readActRules(),
      sites: [
        {
          finess: '330099995',
          rules: [{ owes: 'second-reading', acts: [{ system: 'http://loinc.org', code: '30799-1' }] }],
        },
      ],
    };
    const establishment = { identifier: [{ system: 'https://finess.esante.gouv.fr', value: '330099995' }] };
    expect([...owedBy({ request: { code: loinc('30799-1') }, done: [], establishment }, rules)]).toEqual([
      'second-reading',
    ]);
    expect([...owedBy({ request: { code: loinc('72254-6') }, done: [], establishment }, rules)]).toEqual([]);
  });

  it('cannot be misspelt: a mapping that breaks its schema stops the start', () => {
    expect(() =>
      readActRules('{"rules":[{"owes":"third-reading","comment":"x","words":["abcd"]}],"sites":[]}'),
    ).toThrow(/rules\/0/);
    expect(() => readActRules('{"rules":[{"owes":"complement","comment":"x"}],"sites":[]}')).toThrow(/rules\/0/);
  });
});

describe('a case whose act owes a second reading', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  it('is known as such from the reading on, by its request as it is then', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const factsOf = () =>
      world.store.transaction(world.as('ris'), async (tx) => {
        const task = (await tx.read('Task', id)) as Task & { id: string };
        const { facts } = await gatherFacts(tx, task, world.clock.now());
        return { secondReadingRequired: facts.secondReadingRequired, complement: facts.complement };
      });
    expect(await factsOf()).toEqual({ secondReadingRequired: false, complement: 'none' });
    await world.store.transaction(world.as('ris'), async (tx) => {
      const task = (await tx.read('Task', id)) as Task;
      const request = (await tx.read('ServiceRequest', task.focus?.reference?.split('/')[1] ?? '')) as ServiceRequest;
      await tx.update({
        ...(request as ServiceRequest & { id: string }),
        code: { text: 'Scanner corps entier' },
        reasonCode: [{ text: 'Polytraumatisé' }],
      });
    });
    expect(await factsOf()).toEqual({ secondReadingRequired: true, complement: 'none' });
  });

  const rewrite = (id: string, change: Partial<ServiceRequest>) =>
    world.store.transaction(world.as('ris', 'update'), async (tx) => {
      const task = (await tx.read('Task', id)) as Task;
      const request = (await tx.read('ServiceRequest', task.focus?.reference?.split('/')[1] ?? '')) as ServiceRequest;
      await tx.update({ ...(request as ServiceRequest & { id: string }), ...change });
    });
  const readAndSign = async (id: string): Promise<Task> => {
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    return (await world.operate('radiologist', 'sign', id, report)) as Task;
  };
  const clocks = async (id: string) => runningOf(await world.task(id)).map(({ name }) => name);

  it('keeps what was owed at the signature when the act changes afterwards, until the complement is signed', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await rewrite(id, { code: { text: 'IRM cérébrale avec spectroscopie' } });
    expect(outputs(await readAndSign(id), 'owed')).toMatchObject([{ valueCode: 'complement' }]);
    await rewrite(id, { code: { text: 'IRM cérébrale' } });
    expect(await clocks(id)).toContain('complement');
    await world.operate('radiologist', 'open-addendum', id, { reason: 'Spectroscopie' });
    await world.operate('radiologist', 'claim-addendum', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('radiologist', 'sign-addendum', id, { ...report, reason: 'Spectroscopie' });
    expect(await clocks(id)).toContain('complement');
    await world.operate('radiologist', 'open-addendum', id, { reason: 'Spectroscopie' });
    await world.operate('radiologist', 'claim-addendum', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('radiologist', 'sign-addendum', id, { ...report, reason: 'Spectroscopie', complement: 'true' });
    expect(await clocks(id)).not.toContain('complement');
  });

  it('keeps the second reading owed at the signature, whatever the request says since', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await rewrite(id, { code: { text: 'Scanner corps entier' }, reasonCode: [{ text: 'Polytraumatisé' }] });
    await readAndSign(id);
    await rewrite(id, { code: { text: 'Scanner cérébral' }, reasonCode: [{ text: 'Céphalée' }] });
    expect(await clocks(id)).toContain('second-reading');
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await world.operate('other-radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('other-radiologist', 'complete-second-reading', id, { agrees: 'true', opinion: 'Concordant' });
    expect(await clocks(id)).not.toContain('second-reading');
    await rewrite(id, { code: { text: 'Scanner corps entier' }, reasonCode: [{ text: 'Polytraumatisé' }] });
    expect(await clocks(id)).not.toContain('second-reading');
  });

  it('is asked for what the act owes since the report was signed, by its request or as the establishment says it was done', async () => {
    const { id, who, number, studyUid } = await readyCase(world, { encounterClass: 'O' });
    await readAndSign(id);
    expect(await clocks(id)).not.toContain('second-reading');
    await rewrite(id, { code: { text: 'Scanner corps entier' }, reasonCode: [{ text: 'Polytraumatisé' }] });
    expect(await clocks(id)).toContain('second-reading');
    expect(await childOf(world, id, 'second-reading')).toMatchObject({ status: 'requested' });
    await complete(world, [
      exam(who, number, studyUid, {
        act: { system: 'http://loinc.org', code: '30799-1', display: 'IRM avec spectroscopie' },
      }),
    ]);
    expect(await clocks(id)).toEqual(expect.arrayContaining(['second-reading', 'complement']));
  });
});
