/** What happened, as people tell it: clock time, who, what, and the evidence that it did. */

const zone = 'Europe/Paris';
const day = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, weekday: 'long', day: 'numeric', month: 'long' });
const hour = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
const year = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, dateStyle: 'long' });

/** One thing somebody did. */
export interface Moment {
  /** Instant of the demonstration's clock when it was done. */
  at: Date;
  who: string;
  what: string;
  /** What proves it, one line each; of a failure, what was wrong. */
  evidence: string[];
  failed?: true;
}

export interface Timeline {
  moments: readonly Moment[];
  /** Says it at once. */
  add(moment: Moment): void;
}

/** `02:13` where the hospital is. */
export function clockTime(at: Date): string {
  return hour.format(at);
}

/** `13 janvier 2027`. */
export function longDate(at: Date): string {
  return year.format(at);
}

export function createTimeline(print: (line: string) => void): Timeline {
  const moments: Moment[] = [];
  let today = '';
  return {
    moments,
    add(moment) {
      moments.push(moment);
      const of = day.format(moment.at);
      if (of !== today) print(`  ${of}`);
      today = of;
      print(`  ${clockTime(moment.at)}  ${moment.who} ${moment.what}`);
      for (const line of moment.evidence) print(`         ${moment.failed ? '✘' : '✔'} ${line}`);
    },
  };
}
