/** `Organization/[id]/$exclude`, `$reinstate` and `$radiologists` (docs/rota.md). */
import type { Operation } from '../../fhir/index.ts';
import { exclude, reinstate } from './exclude.ts';
import { idRequired, textRequired } from './operation-input.ts';
import type { Reasons } from './reasons.ts';
import { roster } from './roster.ts';

const onOrganization = { type: 'Organization', level: 'instance', seesWhole: true } as const;

export const peopleOperations = (reasons: Reasons): Operation[] => [
  {
    ...onOrganization,
    name: 'exclude',
    affectsState: true,
    run: ({ tx, id = '', parameters }) =>
      exclude(
        reasons,
        tx,
        idRequired(parameters, 'practitioner', 'Practitioner'),
        id,
        textRequired(parameters, 'reason'),
      ),
  },
  {
    ...onOrganization,
    name: 'reinstate',
    affectsState: true,
    run: ({ tx, id = '', parameters }) => reinstate(tx, idRequired(parameters, 'practitioner', 'Practitioner'), id),
  },
  {
    ...onOrganization,
    name: 'radiologists',
    affectsState: false,
    run: ({ tx, id = '' }) => roster(tx, id),
  },
];
