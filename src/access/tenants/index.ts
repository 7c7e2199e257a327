/** Tenants: hospital groups with their establishments, and who of another tenant each accepts (docs/access/tenants.md). */
export { accept, revoke } from './accept.ts';
export { listAcceptances, loginsActingAs } from './acceptance.ts';
export { createTenant } from './create-tenant.ts';
export { readTenantDescription } from './description.ts';
export { establishmentsOf, setEstablishments } from './establishments.ts';
export { refuseForeignAddresses } from './foreign-addresses.ts';
export { addressedTenant, createTenantDoor, crossTenant, type Identity, type TenantDoor } from './step-into.ts';
