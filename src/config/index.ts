/** Environment → one typed, validated configuration, and the injected clock. */
export { acceleratedClock, type Clock, systemClock } from './clock.ts';
export { type Config, ConfigError, dataFolder, isLoopback, loadConfig, type SmtpConfig } from './config.ts';
