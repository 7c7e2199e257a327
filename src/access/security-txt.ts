/** `/.well-known/security.txt` (RFC 9116): where somebody who found a weakness can say so. */

/** RFC 9116 §2.5.5 recommends less than a year. */
const validForDays = 180;

export function securityTxt({ contact, now }: { contact: string; now: Date }): string {
  const expires = new Date(now.getTime() + validForDays * 86_400_000);
  expires.setUTCHours(0, 0, 0, 0);
  return `Contact: ${contact}\nExpires: ${expires.toISOString()}\nPreferred-Languages: fr, en\n`;
}
