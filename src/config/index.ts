/** Environment → one typed, validated configuration, and the injected clock. */
export type { AuditSyslog } from './audit.ts';
export { acceleratedClock, type Clock, type DemonstrationClock, systemClock } from './clock.ts';
export { type Config, dataFolder, isLoopback, loadConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { dataKeysFile } from './data-keys.ts';
export type { DicomPeer } from './dicom.ts';
export { http } from './http-module.ts';
export type { ExerciseRule, IdentitySources, LdapSource, OpenidSource } from './identity-sources/index.ts';
export type { LegalNotice, Organisation } from './legal-notice.ts';
export { createLoop, type Loop } from './loop.ts';
export type { SmtpConfig } from './mail.ts';
export { type Secret, secret, secretText } from './secret.ts';
export type { LimitSettings, MalwareSettings, Rate } from './surface.ts';
