/**
 * What the audit trail shows that nobody would see line by line: series of failures and of refusals. Counted in memory, in windows: a
 * restart forgets a window, never an incident. Emits at the threshold and then at each tenfold, so that an attack of a million attempts
 * makes seven occurrences.
 */
import type { IncidentKind, Occurrence } from './incident.ts';

/** What the detector looks at: one entry of the trail, reduced to what matters here. */
export interface Observation {
  at: Date;
  account: string;
  network?: string;
  what: 'sign-in-refused' | 'refused' | 'cross-tenant';
  /** The interaction refused, for the detail. */
  interaction?: string;
}

interface Rule {
  kind: IncidentKind;
  what: Observation['what'];
  /** Counted by account or by address; nothing is counted when it is not known. */
  by: 'account' | 'network';
  threshold: number;
  windowMs: number;
}

const minute = 60_000;

/** A mistyped password is not an attack, and an address may be a whole hospital behind one proxy. */
const rules: readonly Rule[] = [
  { kind: 'brute-force', what: 'sign-in-refused', by: 'account', threshold: 10, windowMs: 15 * minute },
  { kind: 'brute-force', what: 'sign-in-refused', by: 'network', threshold: 60, windowMs: 15 * minute },
  { kind: 'probing', what: 'refused', by: 'account', threshold: 30, windowMs: 10 * minute },
  { kind: 'cross-tenant', what: 'cross-tenant', by: 'account', threshold: 1, windowMs: 24 * 60 * minute },
];

/** Series remembered; beyond, the oldest are forgotten: an attacker with many names must not fill the memory. */
const seriesAtMost = 20_000;

interface Series {
  since: number;
  count: number;
  /** Count at which the next occurrence is told, and count already told. */
  next: number;
  told: number;
}

export interface Detector {
  /** @returns what is worth an incident now. */
  observe(tenant: string, observation: Observation): Occurrence[];
}

export function createDetector(): Detector {
  const series = new Map<string, Series>();

  function count(key: string, at: number, { threshold, windowMs }: Rule): number {
    let known = series.get(key);
    if (!known || at - known.since >= windowMs) {
      known = { since: at, count: 0, next: threshold, told: 0 };
      if (series.size >= seriesAtMost) series.delete(series.keys().next().value!);
    }
    // Set again at the end of the line: what goes on is not what is forgotten first.
    series.delete(key);
    series.set(key, known);
    known.count++;
    if (known.count < known.next) return 0;
    const times = known.count - known.told;
    known.told = known.count;
    known.next *= 10;
    return times;
  }

  return {
    observe(tenant, observation) {
      const occurrences: Occurrence[] = [];
      for (const [n, rule] of rules.entries()) {
        const subject = observation[rule.by];
        if (rule.what !== observation.what || !subject) continue;
        const times = count(`${n} ${tenant} ${subject}`, observation.at.getTime(), rule);
        if (times > 0) occurrences.push(occurrence(rule, observation, times));
      }
      return occurrences;
    },
  };
}

function occurrence(rule: Rule, { account, network, interaction }: Observation, times: number): Occurrence {
  const isByAccount = rule.by === 'account';
  return {
    kind: rule.kind,
    subject: isByAccount ? `account ${account}` : `network ${network}`,
    times,
    // A series from one address goes over many accounts, and one against an account comes from many addresses.
    ...(isByAccount && account ? { account } : {}),
    ...(network ? { network } : {}),
    ...(interaction ? { detail: `Dernière demande : ${interaction}` } : {}),
  };
}
