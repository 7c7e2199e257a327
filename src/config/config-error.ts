/** Raised when the environment is wrong; the message names the variable and what is expected, and holds no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}
