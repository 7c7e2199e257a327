import type { ResourceType } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import type { ChangeHook, CommitHook, Sight, WriteHook } from '../contract.ts';
import type { SearchParts } from '../search/scope.ts';
import type { StoredVersion } from './contract.ts';
import type { CommitItem } from './group-commit.ts';
import type { Hooks } from './hooks.ts';
import type { Projector } from './journal.ts';
import type { PrepareParts } from './prepare.ts';
import type { StoreSight } from './sight.ts';

/** What every transaction of a store shares. */
export interface TransactionParts {
  database: Database;
  /** What searches of a tenant need: its own parameters among the others. */
  searchOf(tenant: string, sight?: StoreSight): SearchParts;
  sightOf(tenant: string, sight: Sight): StoreSight;
  /** Reads a current version beside the transaction, with everything that was committed. */
  readBeside(
    scope: { tenant: string; sight: StoreSight },
    type: ResourceType,
    id: string,
  ): Promise<StoredVersion | undefined>;
  prepare: PrepareParts;
  writeHooks: Hooks<WriteHook>;
  changeHooks: Hooks<ChangeHook>;
  commitHooks: readonly CommitHook[];
  commitTogether(tenant: string, item: CommitItem): Promise<void>;
  checksReferences: boolean;
  projector: Projector;
  /** Parameters of a type with rows in the tables of ordered values. */
  orderedKeys(tenant: string, type: string): readonly number[];
  /** Told the failures that must not reach the caller. */
  report(error: unknown, message: string): void;
}
