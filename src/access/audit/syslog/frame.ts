/** One syslog message (RFC 5424) in its frame for TLS (RFC 5425 §4.3): the number of octets, a space, the message. */

export interface SyslogMessage {
  /** Kind of message; audit messages are `DICOM+RFC3881` (DICOM PS3.15 A.6.1). */
  id: string;
  /** 5 notice, 4 warning. */
  severity: 4 | 5;
  at: string;
  /** Facts beside the text: tenant, seal, event. */
  facts: Readonly<Record<string, string>>;
  text: string;
}

/** Security and authorization messages (RFC 5424 §6.2.1). */
const facility = 10;
/** Private enterprise number for documentation (RFC 5612): we have none of our own. */
const enterprise = 32473;
/** Limits of RFC 5424 §6. */
const hostLimit = 255;

export function syslogFrame({ id, severity, at, facts, text }: SyslogMessage, host: string): Buffer {
  const data = Object.entries(facts).map(([name, value]) => ` ${name}="${value.replace(/["\\\]]/g, '\\$&')}"`);
  const header = [
    `<${facility * 8 + severity}>1`,
    at,
    printable(host, hostLimit),
    'passerelle',
    String(process.pid),
    id,
    `[audit@${enterprise}${data.join('')}]`,
  ].join(' ');
  // UTF-8 begins with its mark, so that the receiver knows it is.
  const message = Buffer.from(`${header} \ufeff${text}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** Visible ASCII only; `-` stands for nothing. */
function printable(value: string, limit: number): string {
  return value.replace(/[^\x21-\x7e]/g, '?').slice(0, limit) || '-';
}
