/** Decisions a person may take about a problem, and the resource that says so (docs/fhir-conventions.md, "Identity problems"). */
import type { DetectedIssue, DetectedIssueMitigation } from '@medplum/fhirtypes';
import { extensions, systems } from '../fhir/systems.ts';
import { hasRole, type Session } from '../session/session.ts';
import { issueCode } from './issue-text.ts';

export type DecisionCode =
  | 'identity-confirmed'
  | 'images-rejected'
  | 'images-reattached'
  | 'merge-recorded'
  | 'verified'
  | 'distinct-persons';

export interface DecisionChoice {
  code: DecisionCode;
  label: string;
  /** What follows from it. */
  hint: string;
}

const choices: Readonly<Record<DecisionCode, DecisionChoice>> = {
  'identity-confirmed': {
    code: 'identity-confirmed',
    label: 'C’est la même personne',
    hint: 'Le dossier reprend, ses images en quarantaine lui reviennent. Un lot d’une autre identité, reçu sous le même identifiant d’examen, reste à l’écart.',
  },
  'images-rejected': {
    code: 'images-rejected',
    label: 'Ces images ne sont pas de ce dossier',
    hint: 'Elles en sont retirées, le dossier attend les siennes.',
  },
  'images-reattached': {
    code: 'images-reattached',
    label: 'Ces images sont d’un autre dossier',
    hint: 'Elles passent au dossier que vous nommez.',
  },
  'merge-recorded': {
    code: 'merge-recorded',
    label: 'La fusion est exacte',
    hint: 'Le dossier passe à l’identité qui demeure.',
  },
  verified: { code: 'verified', label: 'Vérifié : c’est voulu', hint: 'Le dossier reprend tel qu’il est.' },
  'distinct-persons': {
    code: 'distinct-persons',
    label: 'Deux personnes, et l’examen est bien de celle-ci',
    hint: 'Dites comment c’est vérifié (patient, bracelet, appel). La signature et l’envoi reprennent.',
  },
};

/** What nobody chooses: the platform's own, and what homonyms were told with when they blocked nothing. */
const former: Readonly<Record<string, string>> = { 'case-ended': 'Dossier clos', acknowledged: 'Pris en compte' };

const images: readonly DecisionCode[] = ['identity-confirmed', 'images-rejected', 'images-reattached'];
const checked: readonly DecisionCode[] = ['verified', 'images-rejected', 'images-reattached'];

/** Announced for a request; where the images are another establishment's the problem does not name them. */
const announced = ['study-claimed', 'study-reported'];
const verified: readonly DecisionCode[] = ['verified'];

const byCode: Readonly<Record<string, readonly DecisionCode[]>> = {
  'accession-collision': ['verified'],
  'prior-as-current': checked,
  'laterality-mismatch': checked,
  'patient-merged': ['merge-recorded', 'identity-confirmed'],
  'identity-changed': ['identity-confirmed'],
  'duplicate-request': ['verified'],
  homonym: ['distinct-persons'],
};

/** Who decides beside identity vigilance. */
const alsoDecide: Readonly<Record<string, readonly string[]>> = {
  homonym: ['radiologist', 'expert', 'coordinator', 'technologist'],
  'duplicate-request': ['radiologist', 'coordinator'],
};

/** What this person may decide about it; nothing where the decision is somebody else's. */
export function decisionsFor(issue: DetectedIssue, session: Session): DecisionChoice[] {
  const code = issueCode(issue);
  const decides = hasRole(session, 'identity-vigilance', 'quality', 'conformance');
  if (!decides && !hasRole(session, ...(alsoDecide[code] ?? []))) return [];
  const aboutImages = issue.implicated?.some(({ reference }) => reference?.startsWith('ImagingStudy/')) === true;
  return (!aboutImages && announced.includes(code) ? verified : (byCode[code] ?? images))
    .filter((one) => aboutImages || (one !== 'images-rejected' && one !== 'images-reattached'))
    .map((one) => choices[one]);
}

/** The problem with the decision; who and when are the server's to say. */
export function decidedIssue(
  issue: DetectedIssue,
  decision: DecisionCode,
  reason: string,
  target?: string,
): DetectedIssue {
  const mitigation: DetectedIssueMitigation = {
    ...(target === undefined
      ? {}
      : { extension: [{ url: extensions.reattachedTo, valueReference: { reference: target } }] }),
    action: { coding: [{ system: systems.issueMitigation, code: decision }], text: reason },
  };
  return { ...issue, status: 'final', mitigation: [mitigation] };
}

/** French sentence for a decision that was taken. */
export function decisionText(issue: DetectedIssue): string | undefined {
  const mitigation = issue.mitigation?.[0];
  if (mitigation === undefined) return undefined;
  const code = mitigation.action.coding?.find(({ system }) => system === systems.issueMitigation)?.code ?? '';
  const name = Object.hasOwn(choices, code) ? choices[code as DecisionCode].label : (former[code] ?? 'Décidé');
  const reason = mitigation.action.text;
  return reason ? `${name} : ${reason}` : name;
}
