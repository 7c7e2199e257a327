/** Accounts managed by administrators, and who held the technical ones (docs/access/federation.md). */
export { endHolding, type Holding, listTechnicalAccounts, recordHolding, type TechnicalAccount } from './holders.ts';
export { administrationRoutes } from './routes.ts';
