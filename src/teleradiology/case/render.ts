/** Renders docs/workflow.md from the table the server runs on. */
import { type Guard, guards } from './guards.ts';
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
/** Mermaid identifiers take no hyphen. */
const node = (state: string): string => (state === 'none' ? '[*]' : state.replaceAll('-', '_'));

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
    '## Diagram',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...states.map((state) => `  state "${state.display}" as ${node(state.code)}`),
    ...edges(),
    ...states.filter((state) => state.final || state.closed).map((state) => `  ${node(state.code)} --> [*]`),
    '```',
    '',
    '## Transitions',
    '',
    'Rows of one event are tried in order: "when" chooses the row, a guard refuses it. `same` keeps the state.',
    'After each transition the rows `acknowledge` and `advance` are taken while one applies. In any state from reception to signature',
    '`start-clock` is added once the images are readable, and the milestone `images-received` once they are complete.',
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
    row('guard', 'what people read', 'status'),
    row('---', '---', '---'),
    ...Object.entries(guards).map(([name, guard]: [string, Guard]) =>
      row(code(name), guard.text, String(guard.status ?? 422)),
    ),
    '',
  ].join('\n');
}

function edges(): string[] {
  const drawn = new Map<string, string[]>();
  for (const transition of transitions) {
    if (transition.to === 'same') continue;
    for (const from of transition.from) {
      // Every state can turn out to be an error; drawn, it would hide the rest.
      if (transition.event === 'enter-in-error' && from !== 'delivered') continue;
      const edge = `  ${node(from)} --> ${node(transition.to)}`;
      drawn.set(edge, [...new Set([...(drawn.get(edge) ?? []), transition.event])]);
    }
  }
  return [...drawn].map(([edge, events]) => `${edge}: ${events.join(', ')}`);
}
