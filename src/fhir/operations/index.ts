/** Operations of R4 on stored resources, and $diff of our own. */
import type { FhirStore, Operation } from '../contract.ts';
import { diffOperations } from './diff.ts';
import { documentOperations } from './document.ts';
import { everythingOperations } from './everything.ts';
import { lastnOperation } from './lastn.ts';
import { matchOperation } from './match.ts';
import { metaOperations } from './meta.ts';

const operations: readonly Operation[] = [
  ...everythingOperations,
  ...metaOperations,
  ...diffOperations,
  ...documentOperations,
  matchOperation,
  lastnOperation,
];

export function registerOperations(store: FhirStore): void {
  for (const operation of operations) store.registerOperation(operation);
}
