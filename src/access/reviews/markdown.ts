/** A review as a French document, for the people who decide and for the auditor who comes later. */
import type { Remark, Review, ReviewedAccount } from './review.ts';

const remarkTexts: Readonly<Record<Remark, string>> = {
  disabled: 'désactivé',
  'never-used': 'jamais utilisé',
  stale: 'inutilisé depuis plus de 90 jours',
  privileged: 'droits étendus',
  technical: 'compte technique',
  'without-establishment': 'machine sans établissement',
};

export const decisionTexts = { kept: 'maintenu', changed: 'droits modifiés', withdrawn: 'retiré' } as const;

export function reviewMarkdown({ tenant, period, on, accounts }: Review): string {
  const title = period.kind === 'use' ? 'Revue trimestrielle d’utilisation' : 'Revue annuelle du besoin';
  const stale = accounts.filter(({ remarks }) => remarks.includes('stale')).length;
  const open = accounts.filter(({ decision, remarks }) => !decision && !remarks.includes('disabled')).length;
  return [
    `# ${title} des comptes : ${tenant}, ${period.name}`,
    '',
    `Établie le ${on} (du ${period.from} inclus au ${period.to} exclu). ${accounts.length} comptes, dont ${stale} inutilisés depuis plus de 90 jours ; ${open} sans décision.`,
    '',
    '| compte | titulaire | droits | établissement | créé le | dernière utilisation | jours d’utilisation | remarques | décision |',
    '|---|---|---|---|---|---|---|---|---|',
    ...accounts.map(row),
    '',
  ].join('\n');
}

function row(account: ReviewedAccount): string {
  const { login, display, roles, establishment, createdOn, lastUsed, daysUsed, remarks, decision } = account;
  const cells = [
    login,
    display,
    roles.join(', '),
    establishment ?? '',
    createdOn,
    lastUsed ?? 'jamais',
    String(daysUsed),
    remarks.map((remark) => remarkTexts[remark]).join(', '),
    decision
      ? `${decisionTexts[decision.decision]} par ${decision.reviewer}${decision.reason ? ` : ${decision.reason}` : ''}`
      : 'à décider',
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

/** A display name is free text: it must not break the table. */
function cell(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|');
}
