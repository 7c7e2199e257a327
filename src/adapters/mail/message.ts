/** A notice as it leaves: plain text and simple HTML with the same words, a link that asks for a sign-in, and the legal lines. */
import type { Template } from './template.ts';

export interface Message {
  subject: string;
  text: string;
  html: string;
}

/** Nobody can opt out of being told of their duty; what the mail is, why it came and who answers for it is said instead. */
const footer = [
  'Vous recevez ce message parce que vous prenez part à des examens de téléradiologie sur Passerelle, ou à leur organisation ; il est envoyé automatiquement, n’y répondez pas.',
  'Il ne contient aucune donnée de santé et ne nomme aucun patient.',
];

/** @param link where it is read, behind a sign-in. @param legalNotice address of the legal notice. */
export function messageOf({ subject, paragraphs }: Template, link: string, legalNotice: string): Message {
  const legal = 'Mentions légales et protection des données :';
  const text = [
    'Bonjour,',
    ...paragraphs,
    `Pour en prendre connaissance, connectez-vous à Passerelle :\n${link}`,
    [...footer, `${legal} ${legalNotice}`].join('\n'),
  ].join('\n\n');
  const anchor = (address: string): string => `<a href="${htmlText(address)}">${htmlText(address)}</a>`;
  const html = `<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>${htmlText(subject)}</title></head><body>
<p>Bonjour,</p>
${paragraphs.map((paragraph) => `<p>${htmlText(paragraph)}</p>`).join('\n')}
<p>Pour en prendre connaissance, connectez-vous à Passerelle :<br>${anchor(link)}</p>
<hr>
${footer.map((line) => `<p><small>${htmlText(line)}</small></p>`).join('\n')}
<p><small>${legal} ${anchor(legalNotice)}</small></p>
</body></html>
`;
  return { subject: `Passerelle : ${subject.charAt(0).toLowerCase()}${subject.slice(1)}`, text: `${text}\n`, html };
}

function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
