/** The keys messages of a domain are signed with: DomainKeys Identified Mail (RFC 6376, RFC 8463). */
import { createPublicKey } from 'node:crypto';
import { type MailResolver, tagsOf, type Verdict } from './verdict.ts';

/** RFC 8301 §3.2. */
const rsaBits = { refused: 1_024, advised: 2_048 } as const;
/** Where keys often are, when nobody names a selector: the DNS cannot be asked for all of them. */
const usualSelectors = ['default', 'dkim', 'mail', 's1', 's2', 'selector1', 'selector2', 'google', 'k1'];

export async function checkDkim(
  domain: string,
  selectors: readonly string[],
  resolver: MailResolver,
): Promise<Verdict[]> {
  const asked = selectors.length > 0 ? selectors : usualSelectors;
  const found = await Promise.all(
    asked.map(async (selector) => ({ selector, records: await resolver.txt(`${selector}._domainkey.${domain}`) })),
  );
  const present = found.filter(({ records }) => records.length > 0);
  const missing: Verdict[] = found
    .filter(({ records }) => records.length === 0 && selectors.length > 0)
    .map(({ selector }) => ({ subject: 'DKIM', level: 'problem', text: `sélecteur « ${selector} » : pas de clé` }));
  if (present.length === 0 && selectors.length === 0) {
    const text = 'aucune clé sous les sélecteurs usuels : nommer les vôtres avec --selector';
    return [{ subject: 'DKIM', level: 'warning', text }];
  }
  return [...missing, ...present.flatMap(({ selector, records }) => keyVerdicts(selector, records))];
}

function keyVerdicts(selector: string, records: readonly string[]): Verdict[] {
  const verdict = (level: Verdict['level'], text: string): Verdict => ({
    ...{ subject: 'DKIM', level, text: `sélecteur « ${selector} » : ${text}` },
  });
  if (records.length > 1) return [verdict('problem', 'plusieurs enregistrements, il en faut un seul')];
  const tags = tagsOf(records[0] ?? '');
  const isKey = tags && (tags.get('v') ?? 'DKIM1') === 'DKIM1' && tags.has('p');
  if (!isKey) return [verdict('problem', 'ce n’est pas une clé DKIM')];
  if (tags.get('p') === '') return [verdict('problem', 'clé révoquée (p vide)')];
  const strength = strengthOf(tags.get('k') ?? 'rsa', tags.get('p') ?? '');
  const testing = tags.get('t')?.split(':').includes('y')
    ? [verdict('warning', 'en essai (t=y) : les signatures ne comptent pas')]
    : [];
  if (strength === undefined) return [verdict('problem', 'clé illisible'), ...testing];
  const { words, bits } = strength;
  if (bits !== undefined && bits < rsaBits.refused) return [verdict('problem', `${words}, trop courte`), ...testing];
  if (bits !== undefined && bits < rsaBits.advised) {
    return [verdict('warning', `${words} ; ${rsaBits.advised} bits sont conseillés`), ...testing];
  }
  return [verdict('ok', words), ...testing];
}

function strengthOf(kind: string, base64: string): { words: string; bits?: number } | undefined {
  const key = Buffer.from(base64.replace(/\s/g, ''), 'base64');
  if (kind === 'ed25519') return key.length === 32 ? { words: 'clé Ed25519' } : undefined;
  if (kind !== 'rsa') return undefined;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'der', type: 'spki' });
    const bits = asymmetricKeyDetails?.modulusLength;
    return bits === undefined ? undefined : { words: `clé RSA de ${bits} bits`, bits };
  } catch {
    return undefined;
  }
}
