/** The last moment of every scenario: the whole case and its trail are kept, and nothing happened that was not expected. */
import type { AuditEvent, Communication, Provenance } from '@medplum/fhirtypes';
import { wholeCase } from '../case-record.ts';
import { expect } from '../steps.ts';
import { displayName, type Login } from './cast.ts';
import type { FollowedCase } from './followed-case.ts';
import type { Stage } from './stage.ts';

export interface Expected {
  /** Who may read the whole case. */
  reader: Login;
  /** Operations on the case in order, as `radiologue $claim`. */
  trail: readonly string[];
  /** How many messages about the case there are, by category. A category not named has none. */
  told: Readonly<Record<string, number>>;
}

export async function closed(stage: Stage, followed: FollowedCase, expected: Expected): Promise<void> {
  await stage.does(displayName('auditeur'), 'relit la trace du dossier', async () => {
    const record = await wholeCase(await stage.cast.person(expected.reader), await followed.read());
    await stage.save(`case-${followed.placerNumber}.json`, `${JSON.stringify(record, null, 2)}\n`);
    const auditor = await stage.cast.person('auditeur');
    const events = await auditor.search<AuditEvent>('AuditEvent', { _count: '500', _sort: 'date' });
    await stage.save('audit.ndjson', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const trail = await followed.trail();
    same('opérations dans la trace', trail, expected.trail);
    const moved = await movesOf(stage, followed, expected.reader);
    // What is shown or drafted moves nothing: the trail tells it.
    same(
      'transitions avec une Provenance',
      moved,
      expected.trail.filter((line) => !/\$(displayed|save-draft)$/.test(line)),
    );
    const told = await toldByCategory(stage, followed);
    same('messages', entriesOf(told), entriesOf(expected.told));
    expect(stage.hospital.unexpected().length === 0, `le RIS a aussi reçu ${stage.hospital.unexpected().join(', ')}`);
    return [
      `opérations, toutes auditées : ${trail.join(', ')}`,
      `${moved.length} transitions de personnes, chacune avec sa Provenance`,
      `messages : ${entriesOf(told).join(', ') || 'aucun'} ; rien d’autre au RIS`,
      `${record.entry?.length} ressources au dossier, ${events.length} événements dans la trace`,
    ];
  });
}

/** Transitions that people made, in order, as `login $event`. */
async function movesOf(stage: Stage, followed: FollowedCase, reader: Login): Promise<string[]> {
  const { id } = await followed.read();
  const caller = await stage.cast.person(reader);
  const found = await caller.search<Provenance>('Provenance', {
    target: `Task/${id}`,
    _count: '200',
    _sort: 'recorded',
  });
  return found.flatMap(({ agent, activity }) => {
    const login = agent[0]?.who.reference?.replace('Practitioner/', '') ?? '';
    const event = activity?.coding?.[0]?.code;
    // A request over FHIR is submitted by a plain write, not by an operation.
    const isOperation = event !== undefined && event !== 'submit' && !login.startsWith('Device/');
    return isOperation ? [`${login} $${event}`] : [];
  });
}

async function toldByCategory(stage: Stage, followed: FollowedCase): Promise<Record<string, number>> {
  const coordinator = await stage.cast.person('coordonnateur');
  const { id } = await followed.read();
  const all = await coordinator.search<Communication>('Communication', { _count: '500' });
  const counts: Record<string, number> = {};
  for (const { about, category } of all) {
    if (!about?.some(({ reference }) => reference === `Task/${id}`)) continue;
    const code = category?.[0]?.coding?.[0]?.code ?? '';
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

const entriesOf = (counts: Readonly<Record<string, number>>): string[] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .sort();

function same(what: string, found: readonly string[], expected: readonly string[]): void {
  expect(
    found.length === expected.length && found.every((each, index) => each === expected[index]),
    `${what} : il y a ${found.join(', ')} ; il fallait ${expected.join(', ')}`,
  );
}
