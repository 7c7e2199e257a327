/** Images arrive, are complete, belong to the case (flow 4; design §5 rule 5). */
import type { Transition } from '../transition.ts';
import { afterSignature, beforeSignature, standing } from './groups.ts';

export const imageRows: readonly Transition[] = [
  {
    event: 'images',
    from: beforeSignature,
    to: 'same',
    who: ['system'],
    via: ['system'],
    milestones: ['first-image'],
  },
  {
    event: 'images',
    from: afterSignature,
    to: 'same',
    who: ['system'],
    via: ['system'],
    effects: ['tell-late-images'],
  },
  { event: 'images-quiet', from: beforeSignature, to: 'same', who: ['system'], via: ['system'] },
  {
    event: 'complete-exam',
    from: [...beforeSignature, ...afterSignature],
    to: 'same',
    who: ['ris', 'technologist'],
    via: ['message'],
  },
  {
    event: 'complete-images',
    from: beforeSignature,
    to: 'same',
    who: ['technologist', 'coordinator'],
    via: ['operation'],
    guards: ['images-present'],
    effects: ['declare-images-complete'],
  },
  {
    event: 'confirm-images',
    from: [...beforeSignature, ...afterSignature],
    to: 'same',
    who: ['technologist', 'coordinator', 'reader'],
    via: ['operation'],
    guards: [...standing, 'attachment-provisional'],
    effects: ['confirm-attachment'],
  },
  {
    event: 'advance',
    from: ['protocoled'],
    to: 'acquiring',
    who: ['system'],
    via: ['system'],
    when: ['image or flow 4 there, or none needed'],
  },
  {
    event: 'advance',
    from: ['acquiring'],
    to: 'ready',
    who: ['system'],
    via: ['system'],
    when: ['images readable', 'no identity problem', 'images not quarantined'],
    milestones: ['ready'],
  },
];
