/** What second factors are kept in and sealed with. */
import type { Database } from '../../db/index.ts';
import type { SecretSealer } from '../own-account/password-history.ts';

export interface FactorRooms {
  database: Database;
  sealer: SecretSealer;
}

/** Whose factor. */
export interface FactorOwner {
  tenant: string;
  login: string;
}
