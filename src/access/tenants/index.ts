/** Tenants: hospital groups with their establishments, and who of another tenant each accepts (docs/access/tenants.md). */
export { type AcceptanceRequest, accept, revoke } from './accept.ts';
export { type Acceptance, listAcceptances, loginsActingAs } from './acceptance.ts';
export { createTenant } from './create-tenant.ts';
export { readTenantDescription, type TenantDescription } from './description.ts';
export { establishmentsOf, setEstablishments } from './establishments.ts';
export { refuseForeignAddresses } from './foreign-addresses.ts';
export { directoryReaderRole } from './shared-reading.ts';
export { addressedTenant, createTenantDoor, crossTenant, type Identity, type TenantDoor } from './step-into.ts';
