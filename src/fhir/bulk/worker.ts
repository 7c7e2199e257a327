/**
 * Runs jobs: each attempt under a lease that is renewed while it goes on, so that one node at a time works on a job and another takes
 * over from a dead one. An attempt that lost its lease stops, and what it made counts for nothing.
 */
import { type Clock, createLoop, systemClock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError, type FhirGuards } from '../contract.ts';
import { isContention } from '../rest/attempts.ts';
import type { Owners } from '../subscriptions/contract.ts';
import { namesUntouchedSince, removeJobFiles } from './folders.ts';
import { demandOf, type ExportResult, type ImportResult, type Job } from './job.ts';
import {
  claimJob,
  deleteJob,
  expiredJobs,
  findJob,
  finishJob,
  leaseSeconds,
  releaseJob,
  renewLease,
  requeueJob,
} from './job-table.ts';

/** Jobs at the same time on one node, one of a tenant: each holds a connection, of a dozen. */
const jobsAtOnce = 2;
/** How often jobs of other nodes, and expired ones, are looked for. */
const sweepEveryMs = 10_000;
/** How often files without a job are looked for, and how long nothing was written to them: a whole request lasts an hour at most. */
const strayEveryMs = 600_000;
const strayAfterMs = 2 * 3_600_000;
/** A job during which nodes keep dying is given up. */
const attemptsAtMost = 3;
/** Results are kept for a day. */
const keptMs = 24 * 3_600_000;

export interface Log {
  error(details: object, message: string): void;
}

export interface Attempt {
  signal: AbortSignal;
  progress(text: string): void;
}

export interface WorkerOptions {
  database: Database;
  clock: Clock;
  log?: Log;
  /** Folders swept when a job expires. */
  folders: readonly string[];
  /** @param contextNow in the name of who asked, as the account is now. @throws FhirError 403 when it has lost the right. */
  run(job: Job, contextNow: () => Promise<Context>, attempt: Attempt): Promise<ExportResult | ImportResult>;
  owners: Owners;
  guards: Pick<FhirGuards, 'authorize'>;
  /** 0: only `sweep` looks for jobs (tests). */
  sweepEveryMs?: number;
}

export interface Worker {
  start(): void;
  /** Resolves when what runs has been given back. */
  stop(): Promise<void>;
  /** Looks soon: there is something new. */
  wake(): void;
  /** Looks at once; resolves when nothing it found is left to do. */
  sweep(): Promise<void>;
}

/** Why an attempt ended without an end of its job. */
const givenBack = Symbol('given back');

export function createWorker(options: WorkerOptions): Worker {
  const { database, clock, log, folders, owners, guards } = options;
  const period = options.sweepEveryMs ?? sweepEveryMs;
  const running = new Map<Promise<void>, { tenant: string; controller: AbortController }>();
  let stopped = false;
  /** Whose job was begun last: the next place is for those after it. */
  let served = '';
  let straysLookedFor = Number.NEGATIVE_INFINITY;

  async function sweep(): Promise<void> {
    const tenants = await database.tenants();
    const now = performance.now();
    const isStrayTime = now - straysLookedFor >= strayEveryMs;
    if (isStrayTime) straysLookedFor = now;
    for (const tenant of tenants) {
      await purge(tenant);
      if (isStrayTime) await removeStrays(tenant);
    }
    for (const tenant of inTurn(tenants, served)) {
      if (stopped || running.size >= jobsAtOnce) return;
      // A second long job of one tenant would leave others no place at all.
      if ([...running.values()].some((other) => other.tenant === tenant)) continue;
      const job = await database.transaction(tenant, (sql) => claimJob(sql, tenant));
      if (job) begin(job);
    }
  }

  function begin(job: Job): void {
    const { tenant } = job;
    served = tenant;
    const controller = new AbortController();
    const work = attempt(job, controller).catch((error: unknown) => report(error, job));
    running.set(work, { tenant, controller });
    void work.finally(() => {
      running.delete(work);
      wake();
    });
  }

  async function attempt(job: Job, controller: AbortController): Promise<void> {
    if (job.attempt > attemptsAtMost) {
      await end(job, {
        state: 'failed',
        result: new FhirError(500, 'exception', 'given up after several attempts').outcome,
      });
      return;
    }
    let progress = 'started';
    const renewal = setInterval(
      () => {
        database
          .transaction(job.tenant, (sql) => renewLease(sql, job, progress))
          .then((isOurs) => {
            if (!isOurs) controller.abort(givenBack);
          })
          .catch(() => undefined);
      },
      (leaseSeconds * 1000) / 3,
    );
    try {
      const result = await options.run(job, () => contextOf(job), {
        signal: controller.signal,
        progress: (text) => {
          progress = text;
        },
      });
      await end(job, { state: 'done', result });
    } catch (error) {
      if (controller.signal.aborted) return giveBack(job);
      report(error, job);
      // Nothing is wrong with the job: others got in the way. It is an attempt less, and goes on where it was.
      if (isContention(error)) return putBack(job);
      const outcome =
        error instanceof FhirError
          ? error.outcome
          : new FhirError(500, 'exception', `internal error; job ${job.id}`).outcome;
      await end(job, { state: 'failed', result: outcome });
    } finally {
      clearInterval(renewal);
    }
  }

  /** The row decides: an attempt that is not the current one any more leaves nothing behind. */
  async function end(job: Job, outcome: Parameters<typeof finishJob>[2]): Promise<void> {
    const expiresAt = new Date(clock.now().getTime() + keptMs);
    await database.transaction(job.tenant, (sql) => finishJob(sql, job, outcome, expiresAt));
  }

  /** On the way out the job is another's at once; of one that was cancelled or taken over nothing is left to give. */
  async function giveBack(job: Job): Promise<void> {
    await database.transaction(job.tenant, (sql) => releaseJob(sql, job));
  }

  async function putBack(job: Job): Promise<void> {
    await database.transaction(job.tenant, (sql) => requeueJob(sql, job));
  }

  /** Rights are those of this moment: a job may wait for long, and outlive a node. */
  async function contextOf(job: Job): Promise<Context> {
    const { tenant, account, id, kind } = job;
    const owner = await owners.identityOf(tenant, account);
    if (!owner) throw new FhirError(403, 'forbidden', 'the account that asked for this is shut off');
    const context: Context = {
      ...{ tenant, ...owner, requestId: id },
      interaction: `operation:$${kind}`,
      now: () => clock.now(),
    };
    guards.authorize(context, demandOf(job));
    return context;
  }

  async function purge(tenant: string): Promise<void> {
    const now = clock.now();
    for (const id of await database.transaction(tenant, (sql) => expiredJobs(sql, tenant, now))) {
      for (const folder of folders) await removeJobFiles(folder, { tenant, id });
      await database.transaction(tenant, (sql) => deleteJob(sql, tenant, id));
    }
  }

  /** Input that was received, and then the process died, or the database, before there was a job. */
  async function removeStrays(tenant: string): Promise<void> {
    const before = new Date(systemClock.now().getTime() - strayAfterMs);
    for (const folder of folders) {
      for (const id of await namesUntouchedSince(folder, tenant, before)) {
        const job = await database.transaction(tenant, (sql) => findJob(sql, tenant, id));
        if (!job) await removeJobFiles(folder, { tenant, id });
      }
    }
  }

  function report(error: unknown, job: Job): void {
    // Messages of the database quote values.
    const { name, code } = error as { name?: string; code?: string };
    log?.error({ error: code ?? name, job: job.id }, 'a bulk data job failed');
  }

  const loop = createLoop({
    everyMs: period,
    round: sweep,
    onFailure: (error) => log?.error({ error: (error as Error).name }, 'bulk data jobs could not be read'),
  });
  const wake = () => {
    if (period > 0) loop.wake();
  };

  return {
    start() {
      stopped = false;
      if (period > 0) loop.start('at once');
    },
    async stop() {
      stopped = true;
      await loop.stop();
      for (const { controller } of running.values()) controller.abort(givenBack);
      await Promise.all(running.keys());
    },
    wake,
    async sweep() {
      await sweep();
      while (running.size > 0) {
        await Promise.all(running.keys());
        await sweep();
      }
    },
  };
}

/** Those after `last` first, then the others: whoever had a place waits until the rest had theirs. */
function inTurn(tenants: readonly string[], last: string): string[] {
  return [...tenants.filter((tenant) => tenant > last), ...tenants.filter((tenant) => tenant <= last)];
}
