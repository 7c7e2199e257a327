/** Who you are, what you may do, and the proof: accounts, sign-in, policy, audit trail (design §2). */
export { type Access, createAccess } from './access.ts';
export { administrationRoutes, endHolding, listTechnicalAccounts, recordHolding } from './administration/index.ts';
export type { Activity } from './audit/activity.ts';
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
export { crossOrigin } from './cross-origin.ts';
export { incidentKindSystem, incidentOf, incidentResource } from './incidents/index.ts';
export { answerFailure, answerUnreadable, answerUnroutable } from './last-words.ts';
export { legalNoticeRoutes } from './legal-notice/index.ts';
export { createLimits, isOnThisMachine } from './limits/index.ts';
export { announce, closeWindow, findWindow, listWindows, maintenanceReport, recorded } from './maintenance/index.ts';
export { createMalwareGate, destroyQuarantined, listQuarantine, readQuarantined } from './malware/index.ts';
export { openidRoutes } from './openid/index.ts';
export { makePassword } from './passwords.ts';
export { everyPolicy, isGranted, isRole, policiesOf } from './policy.ts';
export { refusalsFirst } from './refusals-first.ts';
export { decide, decisionTexts, lastPeriod, periodNamed, reviewAccounts, reviewMarkdown } from './reviews/index.ts';
export { accessRoutes } from './routes.ts';
export { resealAccounts } from './second-factor/reseal.ts';
export { contentSecurityPolicy, securityHeaders } from './security-headers.ts';
export { securityTxtRoute } from './security-txt.ts';
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
export { openServerTls, type ServerTls } from './tls/index.ts';
