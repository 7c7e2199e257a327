/** A file cannot be loaded; the message says, in French for the operator, which line of it is wrong. */
export class LoadError extends Error {
  override name = 'LoadError';

  /** @param place file and line, `Loinc.csv:17`. */
  constructor(message: string, place?: string) {
    super(place === undefined ? message : `${place} : ${message}`);
  }
}
