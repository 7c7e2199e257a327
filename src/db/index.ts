/** PostgreSQL: the embedded server, the migrations, and transactions that see one tenant only. */
export {
  applicationRole,
  type Database,
  limitStatement,
  limitValues,
  ofLimitedRole,
  openDatabase,
  platformTenant,
  type RowLimits,
  type Scope,
  type Sql,
} from './database.ts';
export { startEmbeddedPostgres } from './embedded.ts';
export { EmbeddedPostgresError } from './embedded-error.ts';
export { lastingSession, noticeOurLoss } from './lasting-session.ts';
export { leakproofStatements, searchesUseTheirIndex } from './leakproof.ts';
export { DatabaseAway, isLoss, isShortOfMeans, isVerdict, OutcomeUnknown } from './lost.ts';
export { MigrationError, migrate } from './migrate.ts';
export {
  type ConfiguredDatabase,
  ensureDatabase,
  migrationsFolder,
  openConfiguredDatabase,
  openConfiguredServer,
} from './open.ts';
export type { Answer } from './prepared/index.ts';
