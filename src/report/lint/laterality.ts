/** Side of the request against the side of the text: the wrong-side error is the one a reader downstream cannot see. */
import type { ReportIssue } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import { plainWords } from './words.ts';

interface Sides {
  right: boolean;
  left: boolean;
}

/** "droit" that names no side: muscles called so, right angles, common phrases; chambers of the heart have their own sides. */
const notSides = [
  /\b(?:grands?|muscles?) droits?\b(?: (?:de l'abdomen|abdomin\w+|femora\w*|anterieurs?|lateral|medial|superieurs?|inferieurs?))?/g,
  /\bdroits? (?:femora\w+|abdomin\w+|anterieurs?)\b/g,
  /\bangles? droits?\b/g,
  /\b(?:en|tout|de plein|bon) droit\b/g,
  /\b(?:ventricul\w+|oreillettes?|coeurs?|cavites?|atrium) (?:droit|gauche)e?s?\b/g,
];

export function sidesNamed(text: string): Sides {
  const words = notSides.reduce((rest, phrase) => rest.replace(phrase, ' '), plainWords(text));
  const bilateral = /\bbilatera(?:l|le|les|ux)\b|\bdes deux cotes\b/.test(words);
  return {
    right: bilateral || /\b(?:droite?s?|dte?)\b/.test(words),
    left: bilateral || /\b(?:gauches?|gche?)\b/.test(words),
  };
}

const french = { right: 'droit', left: 'gauche' } as const;

export function lateralityIssues({ input, laterality, lateralityFrom }: ReportModel): ReportIssue[] {
  const { text } = input;
  if (!laterality) return [];
  const whole = sidesNamed(`${text.technique} ${text.results} ${text.conclusion}`);
  if (laterality === 'bilateral') {
    if (whole.right === whole.left) return [];
    const named = whole.right ? french.right : french.left;
    return [
      {
        severity: 'warning',
        code: 'laterality-one-side',
        text: `La demande porte sur les deux côtés ; le compte rendu ne parle que du côté ${named}.`,
      },
    ];
  }
  const other = laterality === 'right' ? 'left' : 'right';
  const asked = french[laterality];
  const bearing =
    lateralityFrom === 'images' ? `Les images sont du côté ${asked}` : `La demande porte sur le côté ${asked}`;
  if (whole[other] && !whole[laterality]) {
    return [
      {
        severity: 'error',
        code: 'laterality-contradiction',
        text: `${bearing} ; le compte rendu ne parle que du côté ${french[other]}. Corrigez, ou nommez les deux côtés pour expliquer l'écart.`,
      },
    ];
  }
  const conclusion = sidesNamed(text.conclusion);
  if (conclusion[other] && !conclusion[laterality]) {
    return [
      {
        severity: 'warning',
        code: 'laterality-conclusion',
        text: `${bearing} ; la conclusion ne nomme que le côté ${french[other]}.`,
      },
    ];
  }
  if (!whole[laterality] && lateralityFrom === 'request') {
    return [
      {
        severity: 'warning',
        code: 'laterality-missing',
        text: `La demande porte sur le côté ${asked} ; le compte rendu ne nomme aucun côté.`,
      },
    ];
  }
  return [];
}
