/** Accounts managed by administrators, and who held the technical ones (docs/access/federation.md). */
export { endHolding, listTechnicalAccounts, recordHolding } from './holders.ts';
export { administrationRoutes } from './routes.ts';
