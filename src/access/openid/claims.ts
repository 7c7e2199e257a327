/** What a provider says of somebody, verified as to who said it and for whom; the values are anything. */
export type Claims = Readonly<Record<string, unknown>>;

/** A claim that should be a text; empty when it is something else. */
export function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim.trim() : '';
}
