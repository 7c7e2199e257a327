/** Renders docs/workflow.md from the tables the server runs on. */
import { clocks, partyText } from './clocks.ts';
import { diagrams } from './diagrams.ts';
import { type Guard, guards } from './guards.ts';
import { graphInvariants, takenInvariants, worldInvariants } from './invariants.ts';
import { whoText } from './machine.ts';
import { states } from './states.ts';
import type { Via } from './transition.ts';
import { transitions } from './transitions.ts';

const viaText: Record<Via, string> = {
  operation: 'operation',
  update: 'plain update of Task',
  message: 'message',
  system: 'platform',
};

const code = (text: string): string => `\`${text}\``;
const list = (items: readonly string[] | undefined): string => (items?.length ? items.map(code).join(' ') : '');
const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
/** The whole document, ending with a line feed. */
export function renderWorkflow(): string {
  return [
    '# The workflow of a case',
    '',
    'Rendered from `src/teleradiology/case/` by `renderWorkflow`; a test keeps the two equal. Do not edit.',
    'What is not in the table of transitions is refused with 422 and the list of what is legal; a lost claim with 409; the wrong role with 403.',
    '',
    '## States',
    '',
    row('`businessStatus`', 'shown as', '`Task.status`', 'end'),
    row('---', '---', '---', '---'),
    ...states.map((state) =>
      row(
        code(state.code),
        state.display,
        code(state.status),
        state.final ? 'final' : state.closed ? 'nominal end' : '',
      ),
    ),
    '',
    '## Diagrams',
    '',
    'Drawn without what can happen nearly everywhere: `hold-identity` before the reading, `interrupt` between reception and signature,',
    '`enter-in-error` from every state but an end, and what keeps the state. The table below has everything.',
    '',
    ...diagrams(),
    '## Transitions',
    '',
    'Rows of one event are tried in order: "when" chooses the row, a guard refuses it. `same` keeps the state.',
    'After each transition the rows `acknowledge` and `advance` are taken while one applies. In any state from reception to signature',
    'the interpretation clock starts once the images are readable; the milestone `images-received` is passed once they are complete.',
    '',
    row('event', 'from', 'to', 'who', 'reached by', 'when', 'guards', 'effects', 'milestones'),
    row(...Array.from({ length: 9 }, () => '---')),
    ...transitions.map((transition) =>
      row(
        code(transition.event),
        list(transition.from),
        code(transition.to),
        transition.who.map(whoText).join(', '),
        transition.via.length ? transition.via.map((via) => viaText[via]).join(', ') : 'not offered yet',
        transition.when?.join('; ') ?? '',
        list(transition.guards),
        list(transition.effects),
        list(transition.milestones),
      ),
    ),
    '',
    '## Guards',
    '',
    'A guard refuses; which of them a caller sees first is the order of the row.',
    '',
    row('guard', 'what people read', 'status'),
    row('---', '---', '---'),
    ...Object.entries(guards).map(([name, guard]: [string, Guard]) =>
      row(code(name), guard.text, String(guard.status ?? 422)),
    ),
    '',
    '## Clocks',
    '',
    'While what each delay runs is a function of state and facts (`case/clocks.ts`); how long it is, and when it reminds, are terms of the contract.',
    '',
    row('clock', 'shown as', 'may run in', 'reminds', 'escalates to', 'then'),
    row('---', '---', '---', '---', '---', '---'),
    ...clocks.map((clock) =>
      row(
        code(clock.name),
        clock.display,
        clock.where,
        clock.reminds.map(partyText).join(', '),
        clock.escalates.map(partyText).join(', then '),
        clock.raises ? `raises ${code(clock.raises)}` : clock.rounds ? 'rounds of its own' : 'repeats',
      ),
    ),
    '',
    '## Invariants',
    '',
    'Checked on every world the machine can reach (`test/teleradiology/exploration`) and on stored cases after random histories with crashes,',
    'repeated calls and two servers (`test/teleradiology/histories`).',
    '',
    row('invariant', 'what holds', 'clause'),
    row('---', '---', '---'),
    ...[...worldInvariants, ...takenInvariants, ...graphInvariants].map(({ name, text, clause }) =>
      row(code(name), text, clause),
    ),
    '',
  ].join('\n');
}
