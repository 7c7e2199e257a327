/** Who may send mail for a domain: Sender Policy Framework (RFC 7208). */
import type { MailResolver, Verdict } from './verdict.ts';

/** RFC 7208 §4.6.4: beyond, receivers give up with an error. */
const lookupsAtMost = 10;
const askingTerms = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect']);
const otherTerms = new Set(['all', 'ip4', 'ip6', 'exp']);

interface Term {
  qualifier: string;
  name: string;
  value: string;
}

export async function checkSpf(domain: string, resolver: MailResolver): Promise<Verdict[]> {
  const verdict = (level: Verdict['level'], text: string): Verdict => ({ subject: 'SPF', level, text });
  const records = await policiesOf(domain, resolver);
  const [record] = records;
  if (record === undefined) return [verdict('problem', `aucun enregistrement « v=spf1 » sur ${domain}`)];
  if (records.length > 1) {
    return [
      verdict('problem', `${records.length} enregistrements « v=spf1 » : il en faut un seul, sinon aucun ne compte`),
    ];
  }
  const terms = termsOf(record);
  const unknown = terms.find(({ name }) => !askingTerms.has(name) && !otherTerms.has(name));
  if (unknown) return [verdict('problem', `terme inconnu « ${unknown.name} » : l’enregistrement entier est ignoré`)];
  const count: Count = { lookups: 0, seen: new Set([domain]) };
  await countLookups(record, resolver, count);
  const found = [endOf(terms, verdict)];
  if (count.broken) found.push(verdict('problem', `« ${count.broken} » est inclus mais n’a pas d’enregistrement SPF`));
  if (count.lookups > lookupsAtMost) {
    found.push(verdict('problem', `plus de ${lookupsAtMost} recherches DNS : les destinataires abandonnent`));
  }
  if (terms.some(({ name }) => name === 'ptr')) found.push(verdict('warning', 'le terme « ptr » ne doit plus servir'));
  return found;
}

/** What happens to servers nobody named. */
function endOf(terms: readonly Term[], verdict: (level: Verdict['level'], text: string) => Verdict): Verdict {
  const all = terms.find(({ name }) => name === 'all');
  if (!all) {
    return terms.some(({ name }) => name === 'redirect')
      ? verdict('ok', 'la règle est celle d’un autre domaine (redirect)')
      : verdict('problem', 'pas de « all » à la fin : les serveurs non nommés restent admis');
  }
  switch (all.qualifier) {
    case '-':
      return verdict('ok', 'les serveurs non nommés sont refusés (-all)');
    case '~':
      return verdict('ok', 'les serveurs non nommés sont suspects (~all) ; avec DMARC cela suffit');
    case '?':
      return verdict('warning', '« ?all » ne dit rien des serveurs non nommés');
    default:
      return verdict('problem', '« +all » autorise le monde entier à écrire au nom du domaine');
  }
}

/** DNS questions an evaluation asks, those of included policies too; it ends where receivers end it. */
interface Count {
  lookups: number;
  seen: Set<string>;
  /** Included without having a policy. */
  broken?: string;
}

async function countLookups(record: string, resolver: MailResolver, count: Count): Promise<void> {
  for (const { name, value } of termsOf(record)) {
    if (!askingTerms.has(name)) continue;
    count.lookups += 1;
    if (count.lookups > lookupsAtMost) return;
    // A macro depends on the message: what is behind it cannot be known.
    const target = value.toLowerCase();
    if ((name !== 'include' && name !== 'redirect') || target.includes('%') || count.seen.has(target)) continue;
    count.seen.add(target);
    const [inner] = await policiesOf(target, resolver);
    if (inner === undefined) count.broken ??= target;
    else await countLookups(inner, resolver, count);
  }
}

async function policiesOf(domain: string, resolver: MailResolver): Promise<string[]> {
  return (await resolver.txt(domain)).filter((record) => /^v=spf1( |$)/i.test(record));
}

function termsOf(record: string): Term[] {
  return record
    .trim()
    .split(/ +/)
    .slice(1)
    .map((term) => {
      const [, qualifier = '', name = '', value = ''] = /^([+\-~?]?)([A-Za-z][\w.-]*)(?:[:=/](.*))?$/.exec(term) ?? [];
      return { qualifier: qualifier || '+', name: name.toLowerCase() || term, value };
    });
}
