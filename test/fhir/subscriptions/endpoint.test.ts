import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { checkEndpoint, mayConnect, readEndpointRules } from '../../../src/fhir/subscriptions/addresses.ts';
import { createEndpoints, type Endpoints, type Resolve } from '../../../src/fhir/subscriptions/endpoint.ts';
import { selfSigned } from './certificates.ts';
import { openReceiver, type Receiver } from './support.ts';

const strict = readEndpointRules({ allowed: [], loopbackHttp: false });
const may = (address: string, policy = strict, url = 'https://subscriber.example/', tenant = 'aa') =>
  mayConnect(address, new URL(url), tenant, policy);

describe('addresses', () => {
  test.each([
    ['this machine', '127.0.0.1'],
    ['this machine, any of its numbers', '127.9.9.9'],
    ['this machine, IPv6', '::1'],
    ['a private network', '10.1.2.3'],
    ['a private network', '172.16.0.1'],
    ['a private network', '192.168.1.1'],
    ['a carrier network', '100.64.0.1'],
    ['the metadata service of a cloud', '169.254.169.254'],
    ['the metadata service, IPv6', 'fd00:ec2::254'],
    ['a neighbour on the link', 'fe80::1'],
    ['a unique local address', 'fd12::1'],
    ['nobody', '0.0.0.0'],
    ['nobody, IPv6', '::'],
    ['everybody', '255.255.255.255'],
    ['a group', '224.0.0.1'],
    ['a private address written as IPv6', '::ffff:10.0.0.1'],
    ['the same in hexadecimal', '::ffff:a00:1'],
    ['this machine written as IPv6', '::ffff:127.0.0.1'],
    ['a private address behind NAT64', '64:ff9b::a00:1'],
    ['a private address in a 6to4 tunnel', '2002:a00:1::1'],
    ['no address', 'localhost'],
  ])('%s is not connected to (%s)', (_what, address) => {
    expect(may(address)).toBe(false);
  });

  test('public addresses are', () => {
    for (const address of ['93.184.216.34', '8.8.8.8', '172.32.0.1', '2606:2800:220:1::1', '::ffff:8.8.8.8'])
      expect(may(address)).toBe(true);
  });

  test('every spelling of an IPv4 address in IPv6 is judged as that address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
        const hexadecimal = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        expect(may(`::ffff:${address}`)).toBe(may(address));
        expect(may(hexadecimal)).toBe(may(address));
      }),
    );
  });

  test('the operator names hosts, domains, addresses and networks, for one port or one tenant', () => {
    const policy = readEndpointRules({
      allowed: ['ris.chu.local', '*.vpn.local:8443', '10.2.0.0/16', 'bb=192.168.7.7', '[fd12::1]:443'],
      loopbackHttp: false,
    });
    expect(may('10.9.9.9', policy, 'https://ris.chu.local/')).toBe(true);
    expect(may('10.9.9.9', policy, 'https://other.chu.local/')).toBe(false);
    expect(may('10.9.9.9', policy, 'https://a.vpn.local:8443/')).toBe(true);
    expect(may('10.9.9.9', policy, 'https://a.vpn.local/')).toBe(false);
    expect(may('10.2.3.4', policy, 'https://anything.example/')).toBe(true);
    expect(may('192.168.7.7', policy)).toBe(false);
    expect(may('192.168.7.7', policy, 'https://192.168.7.7/', 'bb')).toBe(true);
    expect(may('fd12::1', policy, 'https://[fd12::1]/')).toBe(true);
    expect(may('169.254.169.254', policy, 'https://ris.chu.local/')).toBe(false);
  });

  test('an entry that is none stops the start', () => {
    for (const entry of ['http://ris.local', 'a b', '*', 'x.*.y', '']) {
      expect(() => readEndpointRules({ allowed: [entry], loopbackHttp: false })).toThrow('is no host');
    }
  });

  test('what can be told of an address before connecting is refused at once', () => {
    for (const endpoint of [
      'http://subscriber.example/',
      'http://127.0.0.1/',
      'https://127.0.0.1/',
      'https://0x7f.1/',
      'https://2130706433/',
      'https://[::ffff:127.0.0.1]/',
      'https://169.254.169.254/latest/meta-data',
      'ftp://subscriber.example/',
      'file:///etc/passwd',
    ])
      expect(() => checkEndpoint(endpoint, 'aa', strict)).toThrow();
    expect(() => checkEndpoint('https://subscriber.example/hook', 'aa', strict)).not.toThrow();
    const demo = readEndpointRules({ allowed: [], loopbackHttp: true });
    expect(() => checkEndpoint('http://127.0.0.1:9/', 'aa', demo)).not.toThrow();
    expect(() => checkEndpoint('http://10.0.0.1/', 'aa', demo)).toThrow();
  });
});

describe('requests', () => {
  const opened: (Receiver | Endpoints | { close(): unknown })[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  function endpointsOf(options: { allowed?: string[]; ca?: string[]; resolve?: Resolve }): Endpoints {
    const { allowed = [], ...rest } = options;
    const endpoints = createEndpoints(readEndpointRules({ allowed, loopbackHttp: true }), rest);
    opened.push(endpoints);
    return endpoints;
  }

  const send = (endpoints: Endpoints, url: string, more: object = {}) =>
    endpoints.request({ url: new URL(url), tenant: 'aa', method: 'POST', headers: {}, timeoutMs: 5_000, ...more });

  async function tlsReceiver(names: string[]) {
    const pair = selfSigned(names);
    const receiver = await openReceiver(pair);
    opened.push(receiver);
    return { receiver, ca: [pair.cert] };
  }

  test('a certificate that is not trusted, or not of that name, ends the delivery', async () => {
    const { receiver, ca } = await tlsReceiver(['subscriber.example']);
    const resolve = async () => ['127.0.0.1'];
    const allowed = ['127.0.0.1'];
    const url = `https://subscriber.example:${receiver.port}/`;
    expect(await send(endpointsOf({ allowed, ca, resolve }), url)).toEqual({ status: 200 });
    const untrusted = await send(endpointsOf({ allowed, resolve }), url);
    expect(untrusted).toMatchObject({ failure: expect.stringMatching(/CERT/) });
    const other = await send(endpointsOf({ allowed, ca, resolve }), `https://other.example:${receiver.port}/`);
    expect(other).toMatchObject({ failure: expect.stringMatching(/ALTNAME/) });
    expect(receiver.received).toHaveLength(1);
  });

  test('a name that points inside is not connected to, even when it pointed outside a moment ago', async () => {
    const { receiver, ca } = await tlsReceiver(['rebinding.example']);
    const answers = [['93.184.216.34'], ['127.0.0.1'], ['10.0.0.1', '169.254.169.254']];
    const resolve: Resolve = async () => answers[1]!;
    const endpoints = endpointsOf({ ca, resolve });
    // At creation nothing is known against it.
    expect(() => checkEndpoint(`https://rebinding.example:${receiver.port}/`, 'aa', strict)).not.toThrow();
    const refused = await send(endpoints, `https://rebinding.example:${receiver.port}/`);
    expect(refused).toEqual({ failure: 'the address of the endpoint may not be reached from here' });
    const inside = endpointsOf({ resolve: async () => answers[2]! });
    expect(await send(inside, 'https://rebinding.example/')).toEqual(refused);
    expect(receiver.received).toEqual([]);
  });

  test('the address connected to is the one that was checked: the name is asked once', async () => {
    const { receiver, ca } = await tlsReceiver(['subscriber.example']);
    let asked = 0;
    const resolve: Resolve = async () => {
      asked += 1;
      return asked === 1 ? ['127.0.0.1'] : ['10.0.0.1'];
    };
    const endpoints = endpointsOf({ allowed: ['127.0.0.1'], ca, resolve });
    expect(await send(endpoints, `https://subscriber.example:${receiver.port}/`)).toEqual({ status: 200 });
    expect(asked).toBe(1);
  });

  test('a connection kept for one tenant is not used for another that may not go there', async () => {
    const { receiver, ca } = await tlsReceiver(['subscriber.example']);
    const endpoints = endpointsOf({ allowed: ['aa=127.0.0.1'], ca, resolve: async () => ['127.0.0.1'] });
    const url = `https://subscriber.example:${receiver.port}/`;
    expect(await send(endpoints, url)).toEqual({ status: 200 });
    expect(await send(endpoints, url, { tenant: 'bb' })).toMatchObject({
      failure: expect.stringContaining('may not be reached'),
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('redirections are not followed', async () => {
    const [first, second] = [await openReceiver(), await openReceiver()];
    opened.push(first, second);
    first.answer = () => 307;
    first.answerHeaders = { location: second.url };
    expect(await send(endpointsOf({}), first.url)).toEqual({ status: 307 });
    expect(second.received).toEqual([]);
  });

  test('who does not answer in time, or never ends answering, holds nothing for longer', async () => {
    const silent = await listening(createServer(() => undefined));
    const failed = await send(endpointsOf({}), `http://127.0.0.1:${silent}/`, { timeoutMs: 100 });
    expect(failed).toEqual({ failure: 'the endpoint did not answer in time' });
    const endless = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
        const flood = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', flood);
        flood();
      }),
    );
    expect(await send(endpointsOf({}), `http://127.0.0.1:${endless}/`)).toEqual({ status: 200 });
  });

  test('old TLS is not spoken', async () => {
    const pair = selfSigned(['old.example']);
    const old = createTlsServer({ ...pair, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
    const port = await listening(old);
    const endpoints = endpointsOf({ allowed: ['127.0.0.1'], ca: [pair.cert], resolve: async () => ['127.0.0.1'] });
    expect(await send(endpoints, `https://old.example:${port}/`)).toHaveProperty('failure');
  });

  test('nobody listening is said without the address', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const reply = await send(endpointsOf({}), `http://127.0.0.1:${port}/`);
    expect(reply).toEqual({ failure: 'the endpoint refused the connection' });
  });

  function listening(server: Server): Promise<number> {
    const sockets = new Set<{ destroy(): void }>();
    server.on('connection', (socket) => sockets.add(socket));
    opened.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
  }
});
