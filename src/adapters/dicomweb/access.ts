/**
 * Who may see which study, asked on every frame without asking the database on every frame; and the trail of it: one AuditEvent per
 * actor, study and five minutes, committed before the first byte (design §5 rule 9).
 */
import type { FastifyRequest } from 'fastify';
import type { Access } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import { type Context, FhirError, type FhirGuards, type RowScope } from '../../fhir/index.ts';
import {
  type ImagingRoom,
  notTaken,
  type ServedInstance,
  type ServedStudy,
  type StoredInstance,
  type Target,
} from '../../imaging/index.ts';
import { DicomwebError } from './errors.ts';
import { type RecentMemory, recentMemory } from './recent-memory.ts';

export interface DicomwebAccess {
  /** Who calls. @throws FhirError 401. */
  identify(request: FastifyRequest, interaction: string): Promise<Context>;
  /** @throws FhirError 403. */
  mayStore(context: Context): Promise<void>;
  /** Records what was refused or set apart before the answer says so: of whom the sender does not see, nothing is in it. */
  told(context: Context, stored: readonly StoredInstance[]): Promise<void>;
  /** @throws FhirError 403; it is in the trail by then. */
  maySearch(context: Context, query: string): Promise<void>;
  /** Records a search before its answer leaves, with whom it showed. @param studies ImagingStudy ids. */
  found(context: Context, query: string, studies: readonly string[]): Promise<void>;
  /** The study, once the caller may see it and the trail says so. @throws FhirError 403, DicomwebError 404; in the trail by then. */
  mayRead(context: Context, studyUid: string): Promise<ServedStudy>;
  /** The instance, inside a study checked by `mayRead`. @throws DicomwebError 404. */
  instance(context: Context, target: Required<Target>): Promise<ServedInstance>;
}

/** The access room, as this service asks it. */
export type Guards = FhirGuards & Pick<Access, 'recordActivity'>;

/** How long it is believed that a study is there, in sight and not in quarantine; a change in this process is known at once. */
const studyMemoryMs = 5_000;
const instanceMemoryMs = 60_000;
const auditPeriodMs = 300_000;
const rememberedStudies = 2_000;
/** Of one study. */
const rememberedSights = 100;
const rememberedInstances = 1_000;
const rememberedAudits = 20_000;

export function dicomwebAccess(imaging: ImagingRoom, guards: Guards, clock: Clock): DicomwebAccess {
  const studies = recentMemory<RecentMemory<ServedStudy | undefined>>(rememberedStudies, studyMemoryMs, clock);
  const instances = recentMemory<ServedInstance | undefined>(rememberedInstances, instanceMemoryMs, clock);
  const scopes = new WeakMap<RowScope, number>();
  let lastScope = 0;
  const audits = recentMemory<void>(rememberedAudits, auditPeriodMs, clock);
  imaging.onChanged((tenant, studyUid) => studies.forget(`${tenant} ${studyUid}`));
  // Whoever looks for the accesses to a patient finds those to images that became theirs meanwhile.
  imaging.onSubject((tenant, studyUid) =>
    audits.forgetWhere((key) => key.startsWith(`${tenant} `) && key.endsWith(` ${studyUid}`)),
  );

  /** A refusal is recorded too, then told. */
  async function authorized(
    context: Context,
    request: Parameters<FhirGuards['authorize']>[1],
    query?: string,
  ): Promise<void> {
    try {
      guards.authorize(context, request);
    } catch (error) {
      if (error instanceof FhirError) {
        await guards.auditRead(context, { resources: [], ...(query ? { query } : {}), outcome: 'refused' });
      }
      throw error;
    }
  }

  /** Another number when what somebody sees was worked out anew: an exclusion holds for images as soon as for anything else. */
  function numberOf(rows: RowScope): number {
    const number = scopes.get(rows) ?? ++lastScope;
    scopes.set(rows, number);
    return number;
  }

  /**
   * The study in the caller's sight; one that is not there answers like one out of it, and takes as long: one question (two, where there was
   * one, took 1.1 ms instead of 0.8). What was found for one sight is not told to another: it would tell that somebody looks.
   */
  async function inSight({ tenant, rows }: Context, studyUid: string): Promise<ServedStudy | undefined> {
    const sights = await studies.get(`${tenant} ${studyUid}`, async () =>
      recentMemory(rememberedSights, studyMemoryMs, clock),
    );
    return sights.get(rows ? `${numberOf(rows)}` : 'whole', () => imaging.findStudy(tenant, studyUid, rows));
  }

  return {
    async identify(request, interaction) {
      const caller = await guards.authenticate(request);
      return { ...caller, requestId: request.id, interaction, network: request.ip, now: () => clock.now() };
    },
    mayStore: (context) => authorized(context, { interaction: 'create', type: 'ImagingStudy' }),
    async told(context, stored) {
      for (const { reason, details } of notTaken(stored))
        await guards.recordActivity(context, { kind: 'instances-refused', outcome: 'failed', reason, details });
    },
    maySearch: (context, query) => authorized(context, { interaction: 'search-type', type: 'ImagingStudy' }, query),
    async found(context, query, studies) {
      const { tenant } = context;
      const known = await Promise.all(studies.map((id) => orNothing(imaging.imagingStudy({ tenant }, id))));
      const resources = known.filter((study) => study !== undefined);
      await guards.auditRead(context, { resources, query, outcome: 'success' });
    },
    async mayRead(context, studyUid) {
      const { tenant, actor } = context;
      const study = await inSight(context, studyUid);
      await authorized(context, {
        interaction: 'read',
        type: 'ImagingStudy',
        ...(study ? { id: study.imagingStudyId } : {}),
      });
      if (!study) {
        // Somebody who tries numbers is somebody trying doors.
        await guards.auditRead(context, { resources: [], target: { type: 'ImagingStudy' }, outcome: 'failed' });
        throw new DicomwebError(404, "Cette étude n'est pas disponible.");
      }
      // Accounts may share a resource (two clients one Device), and an app acts beside its person: each is an actor.
      await audits.get(`${tenant} ${actor.account} ${actor.client ?? ''} ${studyUid}`, async () => {
        const resource = await imaging.imagingStudy({ tenant }, study.imagingStudyId);
        await guards.auditRead(context, { resources: [resource], outcome: 'success' });
      });
      return study;
    },
    async instance({ tenant }, target) {
      const key = `${tenant} ${target.studyUid} ${target.seriesUid} ${target.sopUid}`;
      const found = await instances.get(key, () => imaging.findInstance(tenant, target));
      if (found) return found;
      instances.forget(key);
      throw new DicomwebError(404, "Cette instance n'est pas disponible.");
    },
  };
}

/** Images outlive an ImagingStudy that somebody deleted: the search is told all the same. */
async function orNothing<R>(read: Promise<R>): Promise<R | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return undefined;
    throw error;
  }
}
