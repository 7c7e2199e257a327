/** Sign-in through OpenID Connect providers, Pro Santé Connect among them (SE-3, docs/access/federation.md). */
export { type OpenidRoutesOptions, openidRoutes } from './routes.ts';
