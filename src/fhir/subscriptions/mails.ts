/** E-mails to people: that something awaits, and where. No medical data, whatever the subscription is about: mail travels unsealed. */
import type { Mail } from './contract.ts';

export interface MailFacts {
  to: string;
  /** Title of the topic; a search has none. */
  title?: string;
  /** How many events it tells. */
  count: number;
  /** Where one signs in. */
  link: string;
  /** `[subscription]-[last event]`, the same when the mail is sent again. */
  key: string;
}

export function awaitingMail({ to, title, count, link, key }: MailFacts): Mail {
  const what = title ?? 'Une information vous attend';
  const number = count > 1 ? ` (${count})` : '';
  const reason = 'Vous recevez ce message parce qu’un abonnement de Passerelle porte votre adresse.';
  const privacy = 'Ce message ne contient aucune donnée médicale ; n’y répondez pas.';
  const text = [
    'Bonjour,',
    `${what}${number}. Pour en prendre connaissance, connectez-vous à Passerelle :`,
    link,
    privacy,
    reason,
  ].join('\n\n');
  const html = `<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Passerelle</title></head><body>
<p>Bonjour,</p>
<p>${htmlText(what)}${number}. Pour en prendre connaissance, connectez-vous à Passerelle :</p>
<p><a href="${htmlText(link)}">${htmlText(link)}</a></p>
<p>${privacy}</p>
<p>${reason}</p>
</body></html>
`;
  const host = URL.canParse(link) ? new URL(link).hostname : 'passerelle';
  return {
    to,
    subject: `Passerelle : ${what.charAt(0).toLowerCase()}${what.slice(1)}`,
    text: `${text}\n`,
    html,
    messageId: `<${key}@${host}>`,
  };
}

function htmlText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
