/** What receivers shall do with messages that only claim to be of the domain: DMARC (RFC 7489). */
import { type MailResolver, tagsOf, type Verdict } from './verdict.ts';

const strength: Readonly<Record<string, number>> = { none: 0, quarantine: 1, reject: 2 };

export async function checkDmarc(domain: string, resolver: MailResolver): Promise<Verdict[]> {
  const verdict = (level: Verdict['level'], text: string): Verdict => ({ subject: 'DMARC', level, text });
  const found = await recordOf(domain, resolver);
  if (!found) return [verdict('problem', `aucun enregistrement « v=DMARC1 » sur _dmarc.${domain}`)];
  if (found.records.length > 1) return [verdict('problem', 'plusieurs enregistrements : aucun ne compte')];
  const tags = tagsOf(found.records[0] ?? '');
  const policy = tags?.get('p');
  if (!tags || policy === undefined || !(policy in strength)) {
    return [verdict('problem', 'la règle (p) manque ou n’est ni none, ni quarantine, ni reject')];
  }
  const isInherited = found.owner !== domain;
  const applied = (isInherited ? tags.get('sp') : undefined) ?? policy;
  const from = isInherited ? `, hérité de ${found.owner}` : '';
  const verdicts = [
    applied === 'none'
      ? verdict('warning', `p=none${from} : les messages falsifiés sont seulement comptés`)
      : verdict('ok', `p=${applied}${from}`),
  ];
  const children = tags.get('sp');
  if (!isInherited && children !== undefined && (strength[children] ?? 0) < (strength[policy] ?? 0)) {
    verdicts.push(verdict('warning', `les sous-domaines sont moins protégés (sp=${children})`));
  }
  const share = Number(tags.get('pct') ?? 100);
  if (share < 100) verdicts.push(verdict('warning', `la règle ne vaut que pour ${share} % des messages (pct)`));
  return [...verdicts, ...(await reportVerdicts(found.owner, tags.get('rua'), resolver, verdict))];
}

/** Addresses reports go to; another domain has to agree (RFC 7489 §7.1). */
async function reportVerdicts(
  owner: string,
  addresses: string | undefined,
  resolver: MailResolver,
  verdict: (level: Verdict['level'], text: string) => Verdict,
): Promise<Verdict[]> {
  if (!addresses) return [verdict('warning', 'pas d’adresse de rapport (rua) : les abus restent inconnus')];
  const verdicts: Verdict[] = [];
  for (const address of addresses.split(',').map((text) => text.trim())) {
    const host = /^mailto:[^@\s]+@([a-z0-9.-]+?)(?:![0-9]+[kmgt]?)?$/i.exec(address)?.[1]?.toLowerCase();
    if (!host) {
      verdicts.push(verdict('problem', `adresse de rapport illisible : ${address}`));
    } else if (host !== owner && !host.endsWith(`.${owner}`) && !owner.endsWith(`.${host}`)) {
      const agreed = await resolver.txt(`${owner}._report._dmarc.${host}`);
      if (!agreed.some((record) => /^v=DMARC1/.test(record))) {
        verdicts.push(verdict('warning', `${host} n’a pas accepté de recevoir les rapports de ${owner}`));
      }
    }
  }
  return verdicts;
}

/** The domain's own, else that of the nearest domain above it (not of a top-level domain). */
async function recordOf(
  domain: string,
  resolver: MailResolver,
): Promise<{ owner: string; records: string[] } | undefined> {
  const labels = domain.split('.');
  for (let at = 0; at < labels.length - 1; at++) {
    const owner = labels.slice(at).join('.');
    const records = (await resolver.txt(`_dmarc.${owner}`)).filter((record) => /^v=DMARC1\s*(;|$)/.test(record));
    if (records.length > 0) return { owner, records };
  }
  return undefined;
}
