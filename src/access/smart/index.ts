/** SMART App Launch and Backend Services: how machines and third-party apps get at the FHIR API. */
export { type Client, type ClientKind, findClient, listClients } from './client.ts';
export { describeSecurity } from './discovery.ts';
export { type KeySet, readKeySet } from './key-set.ts';
export { registerMachine } from './machine.ts';
export { createNarrowing } from './narrowing.ts';
export { beyondReach, refuseBeyondReach } from './reach.ts';
export { oauthTokens } from './recogniser.ts';
export { type ClientRequest, rotateClient, setClientDisabled, storeClient } from './registration.ts';
export { type SmartRoutesOptions, smartRoutes } from './routes.ts';
export { isWithinScopes } from './scope-limits.ts';
export { createOAuthService, type OAuthOptions, type OAuthService } from './service.ts';
