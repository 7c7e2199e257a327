/** The part of a pino-like logger we use. Nothing of a patient is ever given to it. */
export interface Log {
  info(object: object, message: string): void;
  warn(object: object, message: string): void;
  error(object: object, message: string): void;
}
