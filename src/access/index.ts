/** Who you are, what you may do, and the proof: accounts, sign-in, policy, audit trail (design §2). */
export { type Access, type AccessOptions, createAccess } from './access.ts';
export type { Account, AccountRequest } from './accounts.ts';
export { type Demand, isGranted, isRole, type Role } from './policy.ts';
export { type AccessRoutesOptions, accessRoutes } from './routes.ts';
export { contentSecurityPolicy, type SecurityHeadersOptions, securityHeaders } from './security-headers.ts';
