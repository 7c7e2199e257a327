/** Subscriptions of the fake server: taken or refused, bound over a WebSocket, told when a test says that something changed. */
import websocket from '@fastify/websocket';
import type { Bundle, Subscription } from '@medplum/fhirtypes';
import type { FastifyInstance } from 'fastify';

export interface FakeLive {
  /** Subscriptions are taken; else refused. */
  offered: boolean;
  /** As created, in order. */
  created: Subscription[];
  /** Ids that a page ended. */
  ended: string[];
  /** Open lines that are bound. */
  bound(): number;
  /** Tells every bound page that something changed. */
  tell(): void;
  /** Cuts every line. */
  cut(): void;
}

const notification = (type: string): string => {
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    entry: [{ resource: { resourceType: 'Parameters', parameter: [{ name: 'type', valueCode: type }] } }],
  };
  return JSON.stringify(bundle);
};

/** Call before the routes of the other resources. */
export async function fakeLive(app: FastifyInstance): Promise<FakeLive> {
  const lines = new Set<{ send(text: string): void; close(): void }>();
  const live: FakeLive = {
    offered: true,
    created: [],
    ended: [],
    bound: () => lines.size,
    tell() {
      for (const line of lines) line.send(notification('event-notification'));
    },
    cut() {
      for (const line of lines) line.close();
    },
  };
  await app.register(websocket);
  app.post<{ Body: Subscription }>('/fhir/Subscription', async ({ body }, reply) => {
    if (!live.offered) return reply.code(403).send({ resourceType: 'OperationOutcome', issue: [] });
    live.created.push({ ...body, id: `abonnement-${live.created.length}`, status: 'active' });
    return reply.code(201).send(live.created.at(-1));
  });
  app.get<{ Params: { id: string } }>('/fhir/Subscription/:id', async ({ params }) =>
    live.created.find(({ id }) => id === params.id),
  );
  app.delete<{ Params: { id: string } }>('/fhir/Subscription/:id', async ({ params }, reply) => {
    live.ended.push(params.id);
    return reply.code(204).send();
  });
  await app.register(async (scope) => {
    scope.get('/fhir/ws', { websocket: true }, (socket) => {
      socket.on('message', (data) => {
        const id = /^bind (\S+)$/.exec(data.toString())?.[1];
        if (!live.created.some((one) => one.id === id)) return socket.close();
        lines.add(socket);
        socket.send(notification('handshake'));
      });
      socket.on('close', () => lines.delete(socket));
    });
  });
  return live;
}
