/**
 * A topic's notifications in the browser, over FHIR Subscriptions and nothing else (topic-based backport, channel websocket): creates a
 * Subscription of its own, binds it, and makes another when the line is lost. What is missed meanwhile is the caller's to poll.
 */
import type { Bundle, Parameters, Subscription } from '@medplum/fhirtypes';
import type { FhirClient } from '../fhir/client.ts';
import { FhirProblem } from '../fhir/problem.ts';

/** What of a WebSocket is used. */
export interface Line {
  send(text: string): void;
  close(): void;
}

export interface LineEvents {
  opened(): void;
  message(data: unknown): void;
  /** Also when it could not be opened. */
  closed(): void;
}

export interface FeedParts {
  client: Pick<FhirClient, 'create' | 'read' | 'remove'>;
  openLine(events: LineEvents): Line;
  /** Runs something later. @returns what calls it off. */
  later(ms: number, work: () => void): () => void;
  now(): Date;
}

export interface TopicFeed {
  /** Whether every event since the last `onChange` is told by itself. */
  isLive(): boolean;
  /** Ends the Subscription. */
  close(): void;
}

export interface FeedListeners {
  /** Something changed, or may have while the line was not there. */
  onChange(): void;
  /** The line came up or was lost. */
  onState(isLive: boolean): void;
}

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const heartbeatSeconds = 30;
/** Two heartbeats and a half without a word: the line is dead although nobody said so. */
const silenceMs = 75_000;
/** A browser that dies leaves its Subscription behind for so long. */
const lifeMs = 2 * 3_600_000;
const renewMs = lifeMs - 15 * 60_000;
const firstWaitMs = 1_000;
const longestWaitMs = 60_000;
/** Not entitled, or not offered: asking again soon helps nobody. */
const refusedWaitMs = 300_000;
const activationPollMs = 500;
const activationPolls = 20;

export function openTopicFeed(topic: string, parts: FeedParts, listeners: FeedListeners): TopicFeed {
  const { client, later } = parts;
  let closed = false;
  let live = false;
  let line: Line | undefined;
  let subscription: string | undefined;
  let waitMs = firstWaitMs;
  let callOff: (() => void)[] = [];

  const setLive = (now: boolean): void => {
    if (live === now) return;
    live = now;
    listeners.onState(now);
  };
  const after = (ms: number, work: () => void): void => void callOff.push(later(ms, work));
  const pause = (ms: number): Promise<void> => new Promise((resolve) => after(ms, resolve));

  /** Gives up what there is; the server forgets the rest by itself when it cannot be told. */
  function drop(): void {
    for (const cancel of callOff) cancel();
    callOff = [];
    const dropped = line;
    line = undefined;
    dropped?.close();
    if (subscription !== undefined) client.remove('Subscription', subscription).catch(() => undefined);
    subscription = undefined;
    setLive(false);
  }

  function again(inMs = waitMs): void {
    if (closed) return;
    drop();
    waitMs = Math.min(longestWaitMs, waitMs * 2);
    after(inMs, () => void begin());
  }

  async function begin(): Promise<void> {
    try {
      const made = await client.create(wanted(topic, new Date(parts.now().getTime() + lifeMs)));
      if (closed) return void client.remove('Subscription', made.id ?? '').catch(() => undefined);
      subscription = made.id;
      // Events are kept from the moment it is active: before, a notification could be missed without a trace.
      for (let poll = 0; (await client.read('Subscription', made.id ?? '')).status !== 'active'; poll++) {
        if (poll === activationPolls) return again();
        await pause(activationPollMs);
        if (closed) return;
      }
      if (!closed) bind(made.id ?? '');
    } catch (error) {
      const refused = error instanceof FhirProblem && error.status >= 400 && error.status < 500 && error.status !== 429;
      again(refused ? refusedWaitMs : waitMs);
    }
  }

  function bind(id: string): void {
    let silence = later(silenceMs, () => again());
    callOff.push(() => silence());
    // A line that was dropped may still have something to say.
    const heard =
      <A extends unknown[]>(work: (...args: A) => void) =>
      (...args: A): void => {
        if (line === opened) work(...args);
      };
    const opened: Line = parts.openLine({
      opened: heard(() => opened.send(`bind ${id}`)),
      closed: heard(() => again()),
      message: heard((data: unknown) => {
        silence();
        silence = later(silenceMs, () => again());
        const kind = notificationKind(data);
        if (kind === 'handshake') {
          waitMs = firstWaitMs;
          setLive(true);
          after(renewMs, () => again(0));
        }
        // With the handshake begins what is told: what came before it has to be looked at once.
        if (kind === 'handshake' || kind === 'event-notification') listeners.onChange();
        if (kind === undefined) again();
      }),
    });
    line = opened;
  }

  void begin();
  return {
    isLive: () => live,
    close() {
      closed = true;
      drop();
    },
  };
}

function wanted(topic: string, end: Date): Subscription {
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${backport}backport-subscription`] },
    status: 'requested',
    reason: 'Liste de travail à l’écran',
    end: end.toISOString(),
    criteria: topic,
    channel: {
      type: 'websocket',
      payload: 'application/fhir+json',
      extension: [{ url: `${backport}backport-heartbeat-period`, valueUnsignedInt: heartbeatSeconds }],
      _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: 'empty' }] },
    },
  } as Subscription;
}

/** `type` of the notification's status; undefined for what is none (a refusal). */
export function notificationKind(data: unknown): string | undefined {
  try {
    const bundle = JSON.parse(String(data)) as Bundle;
    const status = bundle.entry?.[0]?.resource as Parameters | undefined;
    return bundle.resourceType === 'Bundle'
      ? status?.parameter?.find(({ name }) => name === 'type')?.valueCode
      : undefined;
  } catch {
    return undefined;
  }
}
