/** What an act owes beside its report (WF-8), by mappings/acts/rules.json. */
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActRules, owedBy, readActRules } from '../../src/teleradiology/kinds/index.ts';
import { gatherFacts } from '../../src/teleradiology/shell/gather-facts.ts';
import { readyCase } from './support/requests.ts';
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
});
