/** The real routes for people and the real interface under the real security headers, at an address that can hold passkeys. */
import type { AddressInfo } from 'node:net';
import { securityHeaders } from '../../src/access/index.ts';
import { userInterfaceRoutes } from '../../src/user-interface.ts';
import { openRig, type Rig } from '../access/support.ts';

export interface PeopleServer extends Rig {
  /** `http://localhost:port`. */
  url: string;
}

/** @param folder the built user interface. */
export async function startPeopleServer(folder: string): Promise<PeopleServer> {
  let url = 'http://localhost';
  const rig = await openRig({
    get baseUrl() {
      return url;
    },
    routes: async (app) => {
      await app.register(securityHeaders, { secure: false });
      await app.register(userInterfaceRoutes, { folder });
    },
  });
  await rig.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://localhost:${(rig.app.server.address() as AddressInfo).port}`;
  return { ...rig, url };
}
