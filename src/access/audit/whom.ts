/**
 * Whom accesses and changes are about. What was shown does not always say it: elements are hidden or not asked for, operations answer in their
 * own words, files and signatures name another resource. Whoever looks for what was done with a patient's data must find these, too.
 */
import type { Resource } from '@medplum/fhirtypes';
import {
  type Change,
  type Context,
  FhirError,
  type FhirStore,
  type FhirTransaction,
  isLimitedType,
  type ReadAccess,
} from '../../fhir/index.ts';
import type { Whole } from './patient.ts';
import { rememberSubjects, type Subject, subjectOf } from './subjects.ts';

/** `Patient/[id]` each, once. */
export type Patients = readonly string[];

export interface Whom {
  /** At once where nothing has to be read for it. */
  ofAccess(context: Pick<Context, 'tenant'>, access: ReadAccess): Patients | Promise<Patients>;
  /** Of one transaction, before and after it. */
  ofChanges(changes: readonly Change[], tx: FhirTransaction): Patients | Promise<Patients>;
  /** Whom a resource says it is about. */
  of(resource: Resource): Patients;
}

/** Resources read for one entry of the trail. */
const readAtMost = 1_000;

type Read = (whole: Whole) => Promise<Resource | undefined>;

/** @param base address of the FHIR API. */
export function createWhom({ store, base }: { store: Pick<FhirStore, 'read'>; base: () => string }): Whom {
  const subjectOfVersion = rememberSubjects(base);
  const subject = (resource: Resource) => subjectOf(resource, base());

  /** @param isLast a part of a part is not followed further. */
  async function patientsOfWhole(whole: Whole, read: Read, isLast: boolean): Promise<Patients> {
    if (whole.type === 'Patient') return [`Patient/${whole.id}`];
    const resource = await read(whole);
    if (!resource) return [];
    const { patients, wholes } = subject(resource);
    return isLast || patients.length > 0 ? patients : patientsOfWholes(wholes, read, true);
  }

  async function patientsOfWholes(wholes: readonly Whole[], read: Read, isLast = false): Promise<Patients> {
    const asked = new Map(wholes.map((whole) => [`${whole.type}/${whole.id}`, whole]));
    const found = [...asked.values()].slice(0, readAtMost).map((whole) => patientsOfWhole(whole, read, isLast));
    return distinct((await Promise.all(found)).flat());
  }

  function together(subjects: readonly Subject[], more: readonly Whole[], read: Read): Patients | Promise<Patients> {
    const named = distinct(subjects.flatMap(({ patients }) => patients));
    const wholes = [...subjects.flatMap((one) => one.wholes), ...more];
    if (wholes.length === 0) return named;
    return patientsOfWholes(wholes, read).then((found) => distinct([...named, ...found]));
  }

  return {
    of: (resource) => subject(resource).patients,
    ofAccess({ tenant }, access) {
      const [only, ...others] = access.stored ?? [];
      if (only && others.length + access.resources.length === 0) {
        const { patients, wholes } = subjectOfVersion(tenant, only);
        if (wholes.length === 0) return patients;
      }
      const shown = access.resources.map((resource) => ({ resource, subject: subject(resource) }));
      const stored = (access.stored ?? []).map((version) => subjectOfVersion(tenant, version));
      const silent = shown.flatMap(({ resource, subject: said }) => (isSilent(said) ? storedAs(resource) : []));
      const read: Read = ({ type, id }) => orNothing(() => store.read(tenant, type, id));
      const subjects = [...shown.map(({ subject: said }) => said), ...stored];
      return together(subjects, [...silent, ...targetOf(access)], read);
    },
    ofChanges(changes, tx) {
      const subjects = changes
        .flatMap(({ before, after }) => [before, after])
        .flatMap((one) => (one ? subject(one) : []));
      const isNamed = subjects.some(({ patients }) => patients.length > 0);
      // What belongs together is written together: only a file or a signature that comes alone has to be asked about.
      const parts = isNamed ? subjects.map((one) => ({ ...one, wholes: [] })) : subjects;
      return together(parts, [], ({ type, id }) => orNothing(() => tx.whole.find(type, id)));
    },
  };
}

const isSilent = ({ patients, wholes }: Subject) => patients.length === 0 && wholes.length === 0;

/** Where a resource that was shown in part is stored, when it can be about somebody. */
function storedAs({ resourceType: type, id }: Resource): Whole[] {
  return id !== undefined && isLimitedType(type) ? [{ type, id }] : [];
}

/**
 * What an operation was asked about that shows nothing stored. Not of what failed: who is told that something is not there must not be told
 * by the time it takes that it is.
 */
function targetOf({ resources, stored = [], target, outcome, reason }: ReadAccess): Whole[] {
  const isAnswered = outcome === 'success' || reason !== undefined;
  if (!isAnswered || !target?.id || resources.length + stored.length > 0 || !isLimitedType(target.type)) return [];
  return [{ type: target.type as Whole['type'], id: target.id }];
}

/** What is pointed to may not be there, or not any more. */
async function orNothing<R>(read: () => Promise<R | undefined>): Promise<R | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return undefined;
    throw error;
  }
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
