/** The diagrams of docs/workflow.md, one for each phase of a case: all transitions in one picture are a tangle nobody reads. */
import type { Origin } from './facts.ts';
import { type CaseState, states } from './states.ts';
import type { CaseEvent } from './transition.ts';
import { transitions } from './transitions.ts';

const phases: readonly { title: string; states: readonly Origin[] }[] = [
  {
    title: 'The request',
    states: [
      'none',
      'draft',
      'sent',
      'received',
      'identity-hold',
      'information-wanted',
      'protocol-wanted',
      'protocoled',
      'refused',
      'cancelled',
    ],
  },
  {
    title: 'Images and reading',
    states: [
      'protocoled',
      'acquiring',
      'ready',
      'reading',
      'suspended',
      'preliminary',
      'second-reading',
      'signed',
      'expired',
    ],
  },
  { title: 'After the signature', states: ['signed', 'delivering', 'delivered', 'addendum', 'entered-in-error'] },
];

/** Possible nearly everywhere: drawn once at most, they would hide the rest. */
const everywhere: readonly CaseEvent[] = [
  'hold-identity',
  'interrupt',
  'enter-in-error',
  'cancel',
  'refuse',
  'ask',
  'expire',
];
const drawnFrom: Partial<Record<CaseEvent, readonly Origin[]>> = {
  'hold-identity': ['protocol-wanted'],
  cancel: ['protocol-wanted'],
  refuse: ['protocol-wanted'],
  ask: ['protocol-wanted', 'reading'],
  expire: ['acquiring'],
  'enter-in-error': ['delivered'],
};

/** Lines of Markdown. */
export function diagrams(): string[] {
  return phases.flatMap(({ title, states: shown }) => [
    `### ${title}`,
    '',
    '```mermaid',
    'stateDiagram-v2',
    '  direction LR',
    ...states
      .filter(({ code }) => shown.includes(code))
      .map(({ code, display }) => `  state "${display}" as ${node(code)}`),
    ...edges(shown),
    ...states
      .filter(({ code, final, closed }) => shown.includes(code) && (final || closed))
      .map(({ code }) => `  ${node(code)} --> [*]`),
    '```',
    '',
  ]);
}

/** Mermaid identifiers take no hyphen. */
const node = (state: Origin): string => (state === 'none' ? '[*]' : state.replaceAll('-', '_'));

function edges(shown: readonly Origin[]): string[] {
  const drawn = new Map<string, Set<CaseEvent>>();
  const draw = (event: CaseEvent, from: Origin, to: CaseState): void => {
    const edge = `  ${node(from)} --> ${node(to)}`;
    drawn.set(edge, (drawn.get(edge) ?? new Set()).add(event));
  };
  for (const { event, from, to } of transitions) {
    if (to === 'same' || !shown.includes(to)) continue;
    for (const origin of from)
      if (
        origin !== to &&
        shown.includes(origin) &&
        (!everywhere.includes(event) || drawnFrom[event]?.includes(origin))
      )
        draw(event, origin, to);
  }
  return [...drawn].map(([edge, events]) => `${edge}: ${[...events].join(', ')}`);
}
