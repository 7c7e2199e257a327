/** A line of the answer, for people. */
export interface Verdict {
  subject: 'SPF' | 'DKIM' | 'DMARC';
  /** `problem`: messages are refused, or anybody may write in the domain's name. */
  level: 'ok' | 'warning' | 'problem';
  /** French sentence. */
  text: string;
}

/** What is asked of the DNS, so that tests can answer. */
export interface MailResolver {
  /** Text records of a name, each joined from its strings; none when there is no such name. @throws when nobody could say. */
  txt(name: string): Promise<string[]>;
}

/** `a=1; b=2` as DKIM and DMARC write it (RFC 6376 §3.2); undefined when it is no such list. */
export function tagsOf(record: string): Map<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of record.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (!/^[A-Za-z]\w*$/.test(name) || tags.has(name)) return undefined;
    tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}
