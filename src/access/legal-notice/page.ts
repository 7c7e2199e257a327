/** The legal-notice page (SE-13): plain HTML from the server, so that it is there before sign-in and without a script. */
import type { LegalNotice, Organisation } from '../../config/index.ts';

export const stylesheetPath = '/mentions-legales.css';

/** @param notice undefined: nobody wrote it yet, which the page says instead of pretending. */
export function legalNoticePage(notice: LegalNotice | undefined): string {
  return `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mentions légales – Passerelle</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body>
<main>
<h1>Mentions légales</h1>
${notice ? sections(notice) : '<p>L’exploitant n’a pas encore renseigné les mentions légales de ce service.</p>'}
<p><a href="/">Retour à la connexion</a></p>
</main>
</body>
</html>
`;
}

function sections({ editor, host, dpo }: LegalNotice): string {
  return `<section>
<h2>Éditeur</h2>
<dl>
${organisation(editor)}${line('Forme juridique', editor.legalForm)}${line('Immatriculation', editor.registration)}${line('Directeur de la publication', editor.director)}</dl>
</section>
<section>
<h2>Hébergeur</h2>
<dl>
${organisation(host)}${line('Certification hébergeur de données de santé', host.certificate)}</dl>
</section>
<section>
<h2>Données personnelles</h2>
<p>Passerelle traite des données de santé pour le compte des établissements, qui en sont responsables. Pour toute question ou pour
exercer vos droits, écrivez au délégué à la protection des données ; vous pouvez aussi saisir la CNIL (cnil.fr).</p>
<dl>
${line('Délégué à la protection des données', dpo.name)}${mail(dpo.mail)}${line('Adresse', dpo.address)}</dl>
<h3>Témoins de connexion</h3>
<p>Ce site ne dépose que les témoins nécessaires à la session ; il ne mesure ni ne suit ses visiteurs.</p>
</section>`;
}

function organisation({ name, address, telephone, mail: address2 }: Organisation): string {
  return `${line('Nom', name)}${line('Adresse', address)}${line('Téléphone', telephone)}${mail(address2)}`;
}

function line(term: string, text: string | undefined): string {
  return text === undefined ? '' : `<dt>${term}</dt><dd>${escaped(text)}</dd>\n`;
}

function mail(address: string | undefined): string {
  if (address === undefined) return '';
  const shown = escaped(address);
  return `<dt>Courriel</dt><dd><a href="mailto:${shown}">${shown}</a></dd>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
