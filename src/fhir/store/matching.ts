/**
 * Criteria of conditional interactions inside a transaction (https://hl7.org/fhir/R4/http.html#cond-update). The database shows each
 * statement what was committed before it, so a match may change before it is used: what counts is what matches under a lock.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { RestReads, RestTransaction, StoredVersion } from './contract.ts';

interface MatchingParts {
  reads: Pick<RestReads, 'matchIds' | 'searchBundle'>;
  lock: RestTransaction['lock'];
  lockStored: RestTransaction['lockStored'];
}

interface Matching {
  lockMatch: RestTransaction['lockMatch'];
  /** The one match as it was while it matched, unlocked; when there is none, the criteria are locked as by `lockMatch`. */
  readMatch(type: ResourceType, criteria: string): Promise<StoredVersion | undefined>;
}

/** A match can change as often as others write; after that many times they win. */
const maxTries = 20;

export function createMatching({ reads, lock, lockStored }: MatchingParts): Matching {
  async function oneMatch(type: ResourceType, criteria: string): Promise<string | undefined> {
    const [id, another] = await reads.matchIds(type, criteria);
    if (another !== undefined)
      throw new FhirError(412, 'multiple-matches', `Several ${type} resources match the criteria`);
    return id;
  }

  async function matchOrLock(type: ResourceType, criteria: string): Promise<string | undefined> {
    const unlocked = await oneMatch(type, criteria);
    if (unlocked !== undefined) return unlocked;
    await lock(`criteria ${type}?${sameSpelling(criteria)}`);
    return oneMatch(type, criteria);
  }

  return {
    async lockMatch(type, criteria, { forCreate = false, shared = false } = {}) {
      for (let tries = 0; tries < maxTries; tries++) {
        const id = await (forCreate ? matchOrLock : oneMatch)(type, criteria);
        if (id === undefined) return undefined;
        const stored = await lockStored(type, id, { shared });
        if ((await oneMatch(type, criteria)) === id) return stored;
      }
      throw busy();
    },
    async readMatch(type, criteria) {
      for (let tries = 0; tries < maxTries; tries++) {
        const id = await matchOrLock(type, criteria);
        if (id === undefined) return undefined;
        // Condition and content in one statement: read apart, it might have been changed or deleted in between.
        const { matches } = await reads.searchBundle(type, [`_id=${id}`, ...conditionsIn(criteria)].join('&'));
        if (matches[0]) return matches[0];
      }
      throw busy();
    },
  };
}

function busy(): FhirError {
  return new FhirError(409, 'conflict', 'What matches the criteria keeps changing: try again');
}

/** Criteria as every caller spells them: `identifier=a|b` and `identifier=a%7Cb` must meet at the same lock. */
function sameSpelling(criteria: string): string {
  return criteria
    .split('&')
    .map((pair) => decodeURIComponent(pair.replaceAll('+', ' ')))
    .sort()
    .join('&');
}

/** Parameters of a query that say how to answer, not what matches. */
const answerParameters =
  /^_(?:count|sort|total|summary|elements|contained\w*|include|revinclude|cursor|format|pretty)(?:%3A|:|=|$)/i;

function conditionsIn(criteria: string): string[] {
  return criteria.split('&').filter((pair) => pair !== '' && !answerParameters.test(pair));
}
