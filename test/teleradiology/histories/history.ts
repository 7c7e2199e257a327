/**
 * Random histories of a case through the real shell and store: people and machines call operations in any order and twice, images come,
 * fall quiet, are held; acknowledgements come late and again; time passes; transactions are aborted at any write; the server is replaced
 * by a new one on the same database, or two sweep at once.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { stateDefinition } from '../../../src/teleradiology/case/index.ts';
import { worldInvariants } from '../../../src/teleradiology/case/invariants.ts';
import { runningOf } from '../../../src/teleradiology/shell/case-clocks.ts';
import { type CaseTask, stateOf } from '../../../src/teleradiology/shell/case-task.ts';
import { gatherFacts } from '../../../src/teleradiology/shell/gather-facts.ts';
import { clocksDiffer } from '../../../src/teleradiology/shell/keep-clocks.ts';
import { complete, exam, fresh, mitigation, person, request, send, study, uid } from '../support/requests.ts';
import { tenant, type Who, type World } from '../support/world.ts';

const people: readonly Who[] = [
  'radiologist',
  'other-radiologist',
  'expert',
  'requester',
  'technologist',
  'coordinator',
  'quality',
  'administrator',
];

const chapters = {
  indication: 'Céphalée',
  technique: 'TDM, PDL 900',
  results: 'Pas de saignement',
  conclusion: 'Normal',
};

/** What each operation is given when it is called well. */
const operations: Readonly<Record<string, Record<string, string>>> = {
  protocol: { text: 'TDM sans injection' },
  ask: { question: 'Créatinine ?' },
  answer: { answer: '80 µmol/L' },
  'ask-imaging': { question: 'Séquences en diffusion ?' },
  refuse: { reason: 'motif' },
  cancel: { reason: 'motif' },
  interrupt: { reason: 'motif' },
  'complete-images': {},
  'confirm-images': {},
  claim: { reason: 'motif' },
  release: { reason: 'motif' },
  suspend: { reason: 'motif' },
  resume: {},
  'phone-exchange': { summary: 'Appelé', with: 'Dr Test', number: '0556000000' },
  'save-draft': chapters,
  sign: { ...chapters, 'not-displayed-reason': 'Vu sur console' },
  'declare-critical': { finding: 'Hématome sous-dural' },
  'acknowledge-critical': { 'read-back': 'Hématome sous-dural' },
  'report-received': {},
  'request-second-reading': { reason: 'motif' },
  'claim-second-reading': {},
  'release-second-reading': { reason: 'motif' },
  'request-rereading': { reason: 'motif' },
  'open-addendum': { reason: 'motif' },
  'claim-addendum': {},
  'release-addendum': { reason: 'motif' },
  'sign-addendum': { ...chapters, reason: 'Relecture' },
  'close-addendum': { reason: 'motif' },
  'ask-cancellation': { reason: 'motif' },
  'decline-cancellation': { reason: 'motif' },
  'declare-error': { reason: 'motif' },
  'withdraw-error': { reason: 'motif' },
  'enter-in-error': { reason: 'motif' },
  'issue-preliminary': chapters,
};

export type Move =
  | { does: 'operate'; who: Who; name: string; twice: boolean }
  | { does: 'images'; series: number }
  | { does: 'images of another' }
  | { does: 'flow 4' }
  | { does: 'decide identity' }
  | { does: 'consent'; status: Consent['status'] }
  | { does: 'acknowledged' | 'failed'; which: number }
  | { does: 'time'; minutes: number }
  | { does: 'sweep'; servers: 1 | 2 }
  | { does: 'restart' };

/** Calls that lead on are more frequent than their share: a random walk would not leave the first states. */
const nominal = ['protocol', 'claim', 'phone-exchange', 'sign', 'report-received'] as const;

const move: fc.Arbitrary<{ move: Move; fuse: number | undefined }> = fc.record({
  move: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.constantFrom(...nominal).map(
        (name): Move => ({
          does: 'operate',
          who: name === 'report-received' ? 'requester' : 'radiologist',
          name,
          twice: false,
        }),
      ),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constant('operate' as const),
        who: fc.constantFrom(...people),
        name: fc.constantFrom(...Object.keys(operations)),
        twice: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('images' as const), series: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.constant<Move>({ does: 'images of another' }) },
    { weight: 2, arbitrary: fc.constant<Move>({ does: 'flow 4' }) },
    { weight: 2, arbitrary: fc.constant<Move>({ does: 'decide identity' }) },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant('consent' as const),
        status: fc.constantFrom<Consent['status']>('active', 'rejected'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constantFrom('acknowledged' as const, 'failed' as const), which: fc.nat(5) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constant('time' as const), minutes: fc.constantFrom(1, 20, 60, 700) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant('sweep' as const), servers: fc.constantFrom(1 as const, 2) }),
    },
    { weight: 1, arbitrary: fc.constant<Move>({ does: 'restart' }) },
  ),
  /** The transaction is aborted at this write. */
  fuse: fc.option(fc.nat(6), { nil: undefined, freq: 6 }),
});

const by = (who: Who, name: string): Move => ({ does: 'operate', who, name, twice: false });
const readable: readonly Move[] = [
  by('radiologist', 'protocol'),
  { does: 'flow 4' },
  { does: 'images', series: 2 },
  { does: 'sweep', servers: 1 },
];
/** Where random histories begin: the nominal path up to here. */
const starts: Readonly<Record<string, readonly Move[]>> = {
  received: [],
  ready: readable,
  reading: [...readable, by('radiologist', 'claim')],
  signed: [...readable, by('radiologist', 'claim'), by('radiologist', 'phone-exchange'), by('radiologist', 'sign')],
};

export const histories = (length: number) =>
  fc.record({
    urgent: fc.boolean(),
    start: fc.constantFrom(...Object.keys(starts)),
    moves: fc.array(move, { minLength: Math.floor(length / 2), maxLength: length }),
  });

export interface Tally {
  moves: number;
  accepted: number;
  refused: number;
  aborted: number;
  checked: number;
  ends: Map<string, number>;
}

export const emptyTally = (): Tally => ({ moves: 0, accepted: 0, refused: 0, aborted: 0, checked: 0, ends: new Map() });

/** One line of counts. */
export function tallyText({ moves, accepted, refused, aborted, checked, ends }: Tally): string {
  const ended = [...ends].map(([state, count]) => `${state} ${count}`).join(', ');
  return `histories: ${moves} moves, ${accepted} accepted, ${refused} refused, ${aborted} aborted, ${checked} checks; ended ${ended}`;
}

class Aborted extends Error {}

/** Writes until the running transaction is aborted. */
export function fuseOf(world: World): { burn: number | undefined } {
  const fuse: { burn: number | undefined } = { burn: undefined };
  world.store.beforeCommit(async () => {
    if (fuse.burn === undefined) return;
    if (fuse.burn-- <= 0) {
      fuse.burn = undefined;
      throw new Aborted('aborted');
    }
  });
  return fuse;
}

/** @throws Error with the history's last move when an invariant does not hold. */
export async function run(
  world: World,
  history: { urgent: boolean; start: string; moves: { move: Move; fuse?: number }[] },
  tally: Tally,
) {
  const who = person();
  const number = `DEM-${fresh()}`;
  const studyUid = uid();
  const { task } = await send(world, request(who, { encounterClass: history.urgent ? 'E' : 'O' }, number));
  const subject = { id: task.id, who, number, studyUid };
  for (const move of starts[history.start] ?? []) await make(world, move, subject);
  let fuse = fuseOf(world);
  let end: { state: string; version: string | undefined } | undefined;
  for (const { move, fuse: burn } of history.moves) {
    tally.moves++;
    fuse.burn = burn;
    try {
      await make(world, move, subject);
      tally.accepted++;
    } catch (error) {
      if (error instanceof Aborted) tally.aborted++;
      else if (isRefusal(error)) tally.refused++;
      else throw error;
    }
    // What a sweep could not raise is put off: until then the platform does have something left to do.
    if (move.does === 'sweep' && burn !== undefined && fuse.burn === undefined) await untilTriedAgain(world, task.id);
    fuse.burn = undefined;
    if (move.does === 'restart') fuse = fuseOf(world);
    await world.room.sweep();
    end = await check(world, task.id, move, end, tally);
  }
  const state = stateOf(await world.task(task.id)) ?? '';
  tally.ends.set(state, (tally.ends.get(state) ?? 0) + 1);
}

/** Lets the time pass after which what failed for this case is raised again (`putOff`). */
async function untilTriedAgain(world: World, id: string): Promise<void> {
  const { rows } = await world.store.transaction(world.as('quality', 'check'), (tx) =>
    tx.sql.query<{ next_at: Date | null }>(
      'SELECT max(next_at) AS next_at FROM due_time WHERE tenant = $1 AND case_id = $2 AND fired_at IS NULL AND failures > 0',
      [tenant, id],
    ),
  );
  const again = rows[0]?.next_at?.getTime() ?? 0;
  world.clock.pass(Math.max(0, again - world.clock.now().getTime()));
}

/** Refusals are answers; anything else is a fault of ours. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'status' in error && Number(error.status) >= 400 && Number(error.status) < 500;

interface Subject {
  id: string;
  who: ReturnType<typeof person>;
  number: string;
  studyUid: string;
}

async function make(world: World, move: Move, { id, who, number, studyUid }: Subject): Promise<void> {
  switch (move.does) {
    case 'operate': {
      // Who says that a report was received says which: the case as it is, here.
      const seen = move.name === 'report-received' ? (await world.task(id)).meta?.versionId : undefined;
      await world.operate(move.who, move.name, id, operations[move.name], seen);
      if (move.twice) await world.operate(move.who, move.name, id, operations[move.name], seen);
      return;
    }
    case 'images':
      return world.images(
        study(who, studyUid),
        Object.fromEntries(Array.from({ length: move.series }, (_, index) => [`1.${index}`, 10])),
      );
    case 'images of another':
      return world.images(study({ ...who, ipp: `${who.ipp}9` }, studyUid, { patientName: 'AUTRE^NOM' }), { '9.1': 5 });
    case 'flow 4':
      await complete(world, [exam(who, number, studyUid)]);
      return;
    case 'decide identity': {
      const [issue] = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${id}&_count=1`);
      if (issue === undefined) return;
      await world.store.transaction(world.as('quality', 'update'), (tx) =>
        tx.update({ ...(issue as typeof issue & { id: string }), mitigation: mitigation('identity-confirmed') }),
      );
      return;
    }
    case 'consent':
      await world.store.transaction(world.as('requester', 'create'), async (tx) => {
        const task = (await tx.read('Task', id)) as Task;
        const [known] = await tx.search('Consent', `patient=${task.for?.reference}`);
        if (known !== undefined) await tx.update({ ...(known as Consent & { id: string }), status: move.status });
      });
      return;
    case 'acknowledged':
    case 'failed': {
      const ours = world.queued.filter(({ focus }) => focus === `Task/${id}`);
      const item = ours[move.which % Math.max(1, ours.length)];
      const child = item?.task?.split('/')[1];
      // What an aborted transaction queued was never sent.
      if (
        item === undefined ||
        child === undefined ||
        (await world.store.search(tenant, 'Task', `_id=${child}`)).length === 0
      )
        return;
      return world.outcome(
        item,
        move.does === 'failed' ? { status: 'failed', reason: 'AE' } : { status: 'delivered', evidence: 'MSA|AA' },
      );
    }
    case 'time':
      world.clock.pass(move.minutes * 60_000);
      return;
    case 'sweep': {
      world.clock.pass(4_000);
      const others = move.servers === 2 ? [await world.anotherRoom()] : [];
      await Promise.all([world.room.sweep(), ...others.map((room) => room.sweep())]);
      return;
    }
    case 'restart':
      return world.restart();
  }
}

async function check(
  world: World,
  id: string,
  move: Move,
  end: { state: string; version: string | undefined } | undefined,
  tally: Tally,
) {
  const fail = (what: string): never => {
    throw new Error(`${what}, after ${JSON.stringify(move)}`);
  };
  return world.store.transaction(world.as('quality', 'check'), async (tx) => {
    const task = (await tx.read('Task', id)) as CaseTask;
    const state = stateOf(task) ?? fail('no state');
    const { facts } = await gatherFacts(tx, task, world.clock.now());
    for (const invariant of worldInvariants) {
      tally.checked++;
      if (!invariant.holds({ state, facts })) fail(`${invariant.name} in ${state}`);
    }
    if (task.status !== stateDefinition(state)?.status) fail(`status ${task.status} in ${state}`);
    if (clocksDiffer(task, state, facts))
      fail(
        `clocks shown ${runningOf(task)
          .map(({ name }) => name)
          .join()} in ${state}`,
      );
    const reports = await tx.search('DiagnosticReport', `based-on=${task.focus?.reference}`);
    const sent = (await tx.search('Task', `part-of=Task/${id}&_count=100`)).filter(
      ({ description }) => description === 'Compte rendu signé',
    );
    if (
      sent.length > 0 &&
      !reports.some(({ status }) => ['final', 'amended', 'corrected', 'appended', 'entered-in-error'].includes(status))
    )
      fail('a report that is not signed was sent');
    const charges = await tx.search('ChargeItem', `subject=${task.for?.reference}&_count=10`);
    if (charges.filter(({ status }) => status !== 'entered-in-error').length > 1) fail('billed twice');
    if (end !== undefined && state !== end.state) fail(`left ${end.state} for ${state}`);
    return stateDefinition(state)?.final ? { state, version: task.meta?.versionId } : undefined;
  });
}
