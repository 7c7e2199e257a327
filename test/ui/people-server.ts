/** The real routes for people and the real interface under the real security headers, at an address that can hold passkeys. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Access, securityHeaders } from '../../src/access/index.ts';
import type { IdentitySources } from '../../src/config/index.ts';
import { userInterfaceRoutes } from '../../src/user-interface.ts';
import { openRig, type Rig } from '../access/support.ts';

export interface PeopleServer extends Rig {
  /** `http://localhost:port`. */
  url: string;
}

/** @param folder the built user interface. @param more what the access room has besides, and the routes for it. */
export async function startPeopleServer(
  folder: string,
  more: {
    identitySources?: IdentitySources;
    routes?: (
      app: FastifyInstance,
      access: Access,
      baseUrl: () => string,
      rooms: Pick<Rig, 'database' | 'store' | 'clock'>,
    ) => Promise<void>;
  } = {},
): Promise<PeopleServer> {
  let url = 'http://localhost';
  const rig = await openRig({
    get baseUrl() {
      return url;
    },
    ...(more.identitySources ? { identitySources: more.identitySources } : {}),
    routes: async (app, { access, ...rooms }) => {
      await app.register(securityHeaders, { secure: false });
      await more.routes?.(app, access, () => url, rooms);
      await app.register(userInterfaceRoutes, { folder });
    },
  });
  await rig.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://localhost:${(rig.app.server.address() as AddressInfo).port}`;
  return { ...rig, url };
}
