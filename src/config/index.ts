/** Environment → one typed, validated configuration, and the injected clock. */
export type { AuditSettings, AuditSyslog } from './audit.ts';
export type { ClientSettings } from './clients.ts';
export { acceleratedClock, type Clock, type DemonstrationClock, systemClock } from './clock.ts';
export { type Config, dataFolder, isLoopback, loadConfig, type SmtpConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { type DataKeysConfig, dataKeysFile } from './data-keys.ts';
export type { DicomPeer, DicomSettings } from './dicom.ts';
export { http } from './http-module.ts';
export type {
  ExerciseRule,
  Grant,
  IdentitySources,
  LdapRule,
  LdapSource,
  OpenidRule,
  OpenidSource,
} from './identity-sources/index.ts';
export type { LegalNotice, Organisation } from './legal-notice.ts';
export { createLoop, type Loop, type LoopOptions } from './loop.ts';
export { type Secret, secret, secretText } from './secret.ts';
export type { LimitSettings, MalwareSettings, Rate, SurfaceSettings } from './surface.ts';
