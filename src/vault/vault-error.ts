/** Why something sealed cannot be opened. Messages, in French for the operator, name neither the content nor, where it is somebody's, the object. */
export class VaultError extends Error {
  override name = 'VaultError';
  /**
   * `not-sealed`: not our format; `damaged`: changed, cut, put in another order or under another name; `key-unknown`: sealed with a
   * key that is not in the ring; `keys`: the ring itself cannot be used; `recipient`: a key of somebody else's that is none, or does not fit.
   */
  readonly code: 'not-sealed' | 'damaged' | 'key-unknown' | 'keys' | 'recipient';

  constructor(code: VaultError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function damaged(): VaultError {
  return new VaultError('damaged', 'Un objet scellé est abîmé, coupé, ou porte le nom d’un autre.');
}
