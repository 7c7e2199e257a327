/**
 * The page between a provider and ours. A redirect would go on in the name of the provider's site, and the browser would keep the new
 * session's cookie (SameSite=Strict) to itself; a page of ours that leads on is our own site's.
 */

/** @param path of ours, already checked to be one. */
export function onwardPage(path: string): string {
  const address = path.replace(/[&"<>']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url=${address}">
<title>Connexion – Passerelle</title>
</head>
<body><p>Vous êtes connecté. <a href="${address}">Continuer</a></p></body>
</html>
`;
}
