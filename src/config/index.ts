/** Environment → one typed, validated configuration, and the injected clock. */
export { acceleratedClock, type Clock, systemClock } from './clock.ts';
export { type Config, dataFolder, isLoopback, loadConfig, type SmtpConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { type Secret, secret, secretText } from './secret.ts';
