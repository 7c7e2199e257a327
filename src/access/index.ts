/** Who you are, what you may do, and the proof: accounts, sign-in, policy, audit trail (design §2). */
export { type Access, type AccessOptions, createAccess } from './access.ts';
export type { Account, AccountRequest } from './accounts.ts';
export {
  administrationRoutes,
  endHolding,
  type Holding,
  listTechnicalAccounts,
  recordHolding,
  type TechnicalAccount,
} from './administration/index.ts';
export type { Activity, ActivityKind } from './audit/activity.ts';
export { readAnchors } from './audit/chain/anchors.ts';
export {
  type AuditKeys,
  auditAnchorsFolder,
  auditKeyFiles,
  openAuditKeys,
  readPublicKeys,
} from './audit/chain/keys.ts';
export type { Fault } from './audit/chain/prove.ts';
export { type Verification, verifyChain } from './audit/chain/verify.ts';
export { readPosition, savePosition } from './audit/export/position.ts';
export { type ExportProof, verifyExport } from './audit/export/verify.ts';
export { writeExport } from './audit/export/write.ts';
export { destroyPart } from './audit/retention/destroy.ts';
export { inspectParts, partLabel } from './audit/retention/parts.ts';
export { saveRetention } from './audit/retention/rules.ts';
export {
  type ClientCertificate,
  certificateNames,
  certificateOf,
  createNodes,
  type Nodes,
} from './client-certificates/index.ts';
export { type CrossOriginOptions, crossOrigin } from './cross-origin.ts';
export {
  type AlertMailer,
  createIncidents,
  type Incident,
  type IncidentKind,
  type Incidents,
  incidentKindSystem,
  incidentOf,
  incidentResource,
  type Occurrence,
} from './incidents/index.ts';
export { answerFailure, answerUnreadable, answerUnroutable } from './last-words.ts';
export { legalNoticeRoutes } from './legal-notice/index.ts';
export { createLimits, isOnThisMachine, type LimitOptions, type Limits } from './limits/index.ts';
export {
  announce,
  closeWindow,
  findWindow,
  listWindows,
  maintenanceReport,
  recorded,
  supportRole,
} from './maintenance/index.ts';
export {
  createMalwareGate,
  destroyQuarantined,
  type Inspected,
  listQuarantine,
  type MalwareGate,
  type MalwareGateOptions,
  type QuarantinedFile,
  readQuarantined,
} from './malware/index.ts';
export { openidRoutes } from './openid/index.ts';
export type { SecretSealer } from './own-account/password-history.ts';
export { makePassword } from './passwords.ts';
export { type Demand, everyPolicy, isGranted, isRole, policiesOf, type Role } from './policy.ts';
export {
  decide,
  decisionTexts,
  lastPeriod,
  overdueReviews,
  periodNamed,
  reviewAccounts,
  reviewMarkdown,
} from './reviews/index.ts';
export { type AccessRoutesOptions, accessRoutes } from './routes.ts';
export { resealAccounts } from './second-factor/reseal.ts';
export { contentSecurityPolicy, type SecurityHeadersOptions, securityHeaders } from './security-headers.ts';
export { type SecurityTxtOptions, securityTxtRoute } from './security-txt.ts';
export {
  type ClientKind,
  type ClientRequest,
  createOAuthService,
  describeSecurity,
  listClients,
  readKeySet,
  registerMachine,
  rotateClient,
  setClientDisabled,
  smartRoutes,
  storeClient,
} from './smart/index.ts';
export {
  accept,
  createTenant,
  establishmentsOf,
  listAcceptances,
  readTenantDescription,
  revoke,
  setEstablishments,
} from './tenants/index.ts';
export { openServerTls, type ServerTls, type TlsFiles, tlsProtocol } from './tls/index.ts';
