/** Whether mail in the name of a domain can be forged (SE-13): SPF, DKIM and DMARC as the DNS publishes them now. */
import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import { CommandError } from '../command-error.ts';
import { checkDkim } from './dkim.ts';
import { checkDmarc } from './dmarc.ts';
import { checkSpf } from './spf.ts';
import type { MailResolver, Verdict } from './verdict.ts';

const timeoutMs = 5_000;
const tries = 2;
const words = { ok: 'bon', warning: 'à revoir', problem: 'PROBLÈME' } as const;

/** `mail-domain <domain> [--selector <name>]…`; exit code 1 when something is a problem. */
export async function mailDomain(args: string[]): Promise<number> {
  const { domain, selectors } = argumentsOf(args);
  const verdicts = await checkMailDomain(domain, selectors, systemResolver());
  for (const { subject, level, text } of verdicts) {
    process.stdout.write(`${subject.padEnd(5)}  ${words[level].padEnd(8)}  ${text}\n`);
  }
  return verdicts.some(({ level }) => level === 'problem') ? 1 : 0;
}

export async function checkMailDomain(
  domain: string,
  selectors: readonly string[],
  resolver: MailResolver,
): Promise<Verdict[]> {
  const checks = [checkSpf(domain, resolver), checkDkim(domain, selectors, resolver), checkDmarc(domain, resolver)];
  return (await Promise.all(checks)).flat();
}

/** @throws CommandError */
export function argumentsOf(args: readonly string[]): { domain: string; selectors: string[] } {
  const selectors: string[] = [];
  const names: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] === '--selector') selectors.push(args[++at] ?? '');
    else names.push(args[at] ?? '');
  }
  const domain = domainToASCII(names[0] ?? '').replace(/\.$/, '');
  if (
    names.length !== 1 ||
    !/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(domain)
  ) {
    throw new CommandError('mail-domain <domaine> [--selector <nom>]…');
  }
  if (!selectors.every((selector) => /^[A-Za-z0-9._-]{1,100}$/.test(selector))) {
    throw new CommandError('--selector : le nom d’un sélecteur DKIM.');
  }
  return { domain, selectors };
}

function systemResolver(): MailResolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  return {
    async txt(name) {
      try {
        return (await resolver.resolveTxt(name)).map((strings) => strings.join(''));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? '';
        if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
        throw new CommandError(`Le DNS ne répond pas pour ${name} (${code}).`);
      }
    },
  };
}
