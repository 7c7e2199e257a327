import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFrameDecoder, frame } from '../../../src/adapters/hl7v2/frames.ts';
import { connectMllp, type Mllp, type MllpOptions, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { findOutgoing, insertOutgoing } from '../../../src/adapters/hl7v2/message-store.ts';
import { FhirError } from '../../../src/fhir/index.ts';
import { cancellation, render, request, withField } from '../../fixtures/hl7v2/messages.ts';
import { establishment, listen, openHospital, type recordingLog, segment, storedMessages, tenant } from './hospital.ts';
import { type Recording, recordingTeleradiology } from './recording-teleradiology.ts';

let rooms: Awaited<ReturnType<typeof openHospital>>;
let domain: Recording;
let mllp: Mllp & { log: ReturnType<typeof recordingLog> };

beforeAll(async () => {
  rooms = await openHospital();
});
afterAll(() => rooms.database.close());

beforeEach(() => {
  domain = recordingTeleradiology();
});
afterEach(async () => {
  await mllp.close();
});

async function start(options: Partial<MllpOptions> = {}) {
  mllp = await listen(rooms, domain, options);
  return { host: '127.0.0.1', port: mllp.port };
}

/** A control id of its own for each test: the database is shared. */
let counter = 0;
const nextId = () => `L${String(++counter).padStart(6, '0')}`;
const octets = (controlId = nextId(), placer = `DEM-${controlId}`) =>
  Buffer.from(render(request({ controlId, placer })));
const code = (answer: Buffer) => segment(answer, 'MSA')[1];
const casesOf = (placer: string) => rooms.store.search(tenant, 'Task', `identifier=urn:test:told|${placer}`);
const stored = async (controlId: string) =>
  (await storedMessages(rooms.database)).filter((row) => row.control_id === controlId);

/** A raw connection that collects answers. */
async function rawConnection(port: number): Promise<{ socket: Socket; next(): Promise<Buffer> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const decoder = createFrameDecoder(1_000_000);
  const answers: Buffer[] = [];
  const waiting: ((answer: Buffer) => void)[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    for (const event of decoder.push(chunk)) {
      if (event.kind !== 'message') continue;
      const tell = waiting.shift();
      if (tell) tell(event.bytes);
      else answers.push(event.bytes);
    }
  });
  const next = () => {
    const known = answers.shift();
    return known ? Promise.resolve(known) : new Promise<Buffer>((resolve) => waiting.push(resolve));
  };
  return { socket, next };
}

describe('a request over MLLP', () => {
  it('is acknowledged AA after message, effect and outcome are committed', async () => {
    const address = await start();
    const answer = await sendMessage(address, octets('ACK1', 'DEM-ACK1'));
    expect(segment(answer, 'MSA')).toEqual(['MSA', 'AA', 'ACK1']);
    expect(segment(answer, 'MSH').slice(2)).toEqual([
      'PASSERELLE',
      'PF-TEST',
      'RIS-TEST',
      'CH-TEST',
      expect.stringMatching(/^\d{14}[+-]\d{4}$/),
      '',
      'ACK^O01^ACK',
      expect.stringMatching(/^[A-Z0-9]{5,20}$/),
      'T',
      '2.5.1',
      '',
      '',
      '',
      '',
      'FRA',
      'UNICODE UTF-8',
    ]);
    const [task] = await casesOf('DEM-ACK1');
    expect(await stored('ACK1')).toMatchObject([
      {
        direction: 'in',
        partner: 'RIS-TEST|CH-TEST',
        message_type: 'ORM^O01',
        outcome: 'AA',
        raw: octets('ACK1', 'DEM-ACK1'),
        answer,
        focus: `Task/${task?.id}`,
      },
    ]);
    expect(domain.establishments).toEqual([establishment]);
  });

  it('that lacks something is told so with its AA', async () => {
    domain.notice = 'Demande incomplète : il manque le poids.';
    const answer = await sendMessage(await start(), octets('ACK-W', 'DEM-ACK-W')).finally(() => {
      domain.notice = undefined;
    });
    expect(segment(answer, 'MSA')).toEqual(['MSA', 'AA', 'ACK-W']);
    const warning = segment(answer, 'ERR');
    expect([warning[3], warning[4], warning[8]]).toEqual([
      '0^Message accepted^messageErrorCondition',
      'W',
      'Demande incomplète : il manque le poids.',
    ]);
  });

  it('that comes again gets the same octets and changes nothing', async () => {
    const address = await start();
    const message = octets();
    const first = await sendMessage(address, message);
    expect(await sendMessage(address, message)).toEqual(first);
    expect(domain.requests).toHaveLength(1);
  });

  it('that comes twice at once on two connections is done once, with one answer', async () => {
    const address = await start();
    const id = nextId();
    const message = octets(id);
    const answers = await Promise.all(Array.from({ length: 6 }, () => sendMessage(address, message)));
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(await casesOf(`DEM-${id}`)).toHaveLength(1);
    expect(await stored(id)).toMatchObject([{ outcome: 'AA', attempts: 6 }]);
  });

  it('under a known control id but with other octets is a new message, with a warning', async () => {
    const address = await start();
    const id = nextId();
    await sendMessage(address, octets(id, `${id}-A`));
    expect(code(await sendMessage(address, octets(id, `${id}-B`)))).toBe('AA');
    expect(domain.requests).toHaveLength(2);
    const rows = await stored(id);
    expect(rows.map((row) => row.warnings.length)).toEqual([0, 1]);
  });

  it('in 8859/15 is answered in 8859/15', async () => {
    const address = await start();
    const id = nextId();
    const text = render(
      withField(withField(request({ controlId: id }), 'MSH', 18, '8859/15'), 'OBR', 13, 'Œdème à 3 €, né hier'),
    );
    const { encode } = await import('../../../src/adapters/hl7v2/charset.ts');
    const answer = await sendMessage(address, encode(text, '8859/15')!);
    expect(segment(answer, 'MSH')[17]).toBe('8859/15');
    expect(domain.requests[0]?.serviceRequest.reasonCode?.[0]?.text).toBe('Œdème à 3 €, né hier');
    const refused = withField(withField(request({ controlId: nextId() }), 'MSH', 18, '8859/15'), 'OBR', 13, '');
    const answered = await sendMessage(address, encode(render(refused), '8859/15')!);
    expect(answered.includes(Buffer.from('OBR-13 (justification', 'latin1'))).toBe(true);
  });
});

describe('a refused message', () => {
  it('is kept with its reason, and the sender is told which element in French', async () => {
    const address = await start();
    const id = nextId();
    const answer = await sendMessage(
      address,
      Buffer.from(render(withField(request({ controlId: id }), 'ORC', 12, ''))),
    );
    expect(segment(answer, 'MSA')).toEqual(['MSA', 'AE', id]);
    expect(segment(answer, 'ERR')).toEqual([
      'ERR',
      '',
      'ORC^1^12',
      '101^Required field missing^messageErrorCondition',
      'E',
      '',
      '',
      '',
      'Champ obligatoire absent : ORC-12 (professionnel demandeur)',
    ]);
    expect(await stored(id)).toMatchObject([{ outcome: 'AE', reason: expect.stringContaining('ORC-12') }]);
    expect(domain.requests).toHaveLength(0);
  });

  it('is told to the audit trail before its answer leaves, without anything of its content', async () => {
    const told: unknown[] = [];
    const address = await start({
      recordActivity: async ({ tenant: of, interaction, actor }, activity) => {
        told.push({ of, interaction, who: actor.display, ...activity });
      },
    });
    const id = nextId();
    await sendMessage(address, Buffer.from(render(withField(request({ controlId: id }), 'ORC', 12, ''))));
    expect(told).toEqual([
      {
        ...{ of: tenant, interaction: 'hl7v2:ORM^O01', who: 'RIS-TEST|CH-TEST' },
        ...{ kind: 'import', outcome: 'refused', details: { controlId: id, answer: 'AE' } },
      },
    ]);
  });

  it('for its content gets the same answer again', async () => {
    const address = await start();
    const message = Buffer.from(render(withField(request({ controlId: nextId() }), 'OBR', 13, '')));
    expect(await sendMessage(address, message)).toEqual(await sendMessage(address, message));
  });

  it('by the domain leaves nothing behind but itself', async () => {
    const address = await start();
    domain.before = async (tx) => {
      await tx.create({ resourceType: 'Basic', code: { text: 'half' } });
      throw new FhirError(422, 'business-rule', 'Service fermé pour cet établissement');
    };
    const id = nextId();
    const answer = await sendMessage(address, octets(id));
    expect(segment(answer, 'ERR')[8]).toBe('Service fermé pour cet établissement');
    expect(code(answer)).toBe('AE');
    expect(await rooms.store.search(tenant, 'Basic', '_count=1')).toEqual([]);
    expect(await stored(id)).toMatchObject([{ outcome: 'AE' }]);
  });

  it('that the domain would accept later is taken when it comes again', async () => {
    const address = await start();
    const message = octets();
    domain.before = () => {
      throw new FhirError(409, 'conflict', 'Dossier en cours de modification');
    };
    expect(code(await sendMessage(address, message))).toBe('AR');
    domain.before = undefined;
    expect(code(await sendMessage(address, message))).toBe('AA');
  });

  it('about an unknown order is answered 204 on ORC-2', async () => {
    const address = await start();
    const answer = await sendMessage(
      address,
      Buffer.from(render(cancellation({ controlId: nextId(), placer: 'UNKNOWN' }))),
    );
    expect([code(answer), segment(answer, 'ERR')[2], segment(answer, 'ERR')[3]?.slice(0, 3)]).toEqual([
      'AE',
      'ORC^1^2',
      '204',
    ]);
  });

  it('of a cancellation that is only asked for is AE with the reason, and what it changed is kept', async () => {
    const address = await start();
    const before = domain.cancellations.length;
    const message = Buffer.from(render(cancellation({ controlId: nextId(), placer: 'DONE' })));
    const answer = await sendMessage(address, message);
    expect([code(answer), segment(answer, 'ERR')[3]?.slice(0, 3)]).toEqual(['AE', '207']);
    expect(answer.toString()).toContain('Examen réalisé.');
    expect(domain.cancellations).toHaveLength(before + 1);
    const { rows } = await rooms.database.query<{ outcome: string; focus: string | null }>(
      'aa',
      `SELECT outcome, focus FROM hl7v2_message WHERE tenant = 'aa' AND raw = $1`,
      [message],
    );
    expect(rows).toEqual([{ outcome: 'AE', focus: expect.stringMatching(/^Task\//) }]);
    const task = await rooms.store.read('aa', 'Task', rows[0]?.focus?.slice('Task/'.length) ?? '');
    expect(task.resourceType).toBe('Task');
  });

  it('because of a failure of ours is AR, without a word about the failure', async () => {
    const address = await start();
    domain.before = () => {
      throw new Error('column "secret" does not exist');
    };
    const answer = await sendMessage(address, octets());
    expect(code(answer)).toBe('AR');
    expect(answer.toString()).not.toContain('secret');
    expect(mllp.log.lines.join()).not.toMatch(/secret|TEST-DUPR/);
  });

  it('because the database is away is AR, and is taken later', async () => {
    const message = octets();
    const broken = {
      ...rooms.store,
      transaction: () => Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })),
    };
    mllp = await listen(
      {
        store: broken,
        database: { ...rooms.database, transaction: () => Promise.reject(new Error('connection refused')) },
      },
      domain,
    );
    const answer = await sendMessage({ host: '127.0.0.1', port: mllp.port }, message);
    expect([code(answer), segment(answer, 'ERR')[3]?.slice(0, 3)]).toEqual(['AR', '207']);
    await mllp.close();
    expect(code(await sendMessage(await start(), message))).toBe('AA');
  });
});

describe('a sender', () => {
  const stranger = () =>
    Buffer.from(
      render(withField(withField(request({ controlId: nextId() }), 'MSH', 3, 'INCONNU'), 'MSH', 4, 'AILLEURS')),
    );

  it('that nobody registered is refused, its message kept by the platform', async () => {
    const answer = await sendMessage(await start(), stranger());
    expect([code(answer), segment(answer, 'ERR')[3]?.slice(0, 3)]).toEqual(['AR', '207']);
    expect(segment(answer, 'ERR')[8]).toContain('INCONNU');
    expect((await storedMessages(rooms.database, 'platform')).at(-1)).toMatchObject({
      partner: 'INCONNU|AILLEURS',
      outcome: 'AR',
    });
  });

  it('that nobody registered counts as the demonstration hospital on a loopback connection, when asked for', async () => {
    const address = await start({ acceptUnknownLoopback: { tenant, organizationId: establishment } });
    expect(code(await sendMessage(address, stranger()))).toBe('AA');
    expect(domain.establishments).toEqual([establishment]);
  });

  it('registered by two hospitals is refused: guessing could choose the wrong one', async () => {
    const { systemContext } = await import('../../../src/fhir/index.ts');
    const { systemClock } = await import('../../../src/config/index.ts');
    const twice = await openHospital(['DOUBLE|X']);
    await twice.store.transaction(systemContext('bb', 'system:test', systemClock), (tx) =>
      tx.create({
        resourceType: 'Device',
        identifier: [{ system: 'https://fhir.passerelle.example/sid/hl7v2-sender', value: 'DOUBLE|X' }],
        owner: { reference: 'Organization/autre' },
      }),
    );
    mllp = await listen(twice, domain);
    const message = withField(withField(request(), 'MSH', 3, 'DOUBLE'), 'MSH', 4, 'X');
    expect(code(await sendMessage({ host: '127.0.0.1', port: mllp.port }, Buffer.from(render(message))))).toBe('AR');
    await twice.database.close();
  });
});

describe('the wire', () => {
  it('may cut messages anywhere, join them, and put noise between them; answers keep the order', async () => {
    const { port } = await start();
    const { socket, next } = await rawConnection(port);
    const ids = [nextId(), nextId(), nextId()];
    const stream = Buffer.concat([
      Buffer.from('bruit'),
      ...ids.flatMap((id) => [frame(octets(id)), Buffer.from('\r\n')]),
    ]);
    for (let at = 0; at < stream.length; at += 97) socket.write(stream.subarray(at, at + 97));
    const answers = [await next(), await next(), await next()];
    expect(answers.map((answer) => segment(answer, 'MSA')[2])).toEqual(ids);
    socket.destroy();
  });

  it('that ends in the middle of a message changes nothing, and the next connection works', async () => {
    const { port } = await start();
    const { socket } = await rawConnection(port);
    const id = nextId();
    socket.write(frame(octets(id)).subarray(0, 300));
    socket.end();
    await once(socket, 'close');
    expect(await stored(id)).toEqual([]);
    expect(code(await sendMessage({ host: '127.0.0.1', port }, octets(id)))).toBe('AA');
  });

  it('may be half closed: the answer still comes', async () => {
    const { port } = await start();
    const { socket, next } = await rawConnection(port);
    socket.end(frame(octets()));
    expect(code(await next())).toBe('AA');
  });

  it('carries several messages of one client at once', async () => {
    const client = await connectMllp(await start());
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.send(octets())));
    expect(answers.map(code)).toEqual(['AA', 'AA', 'AA', 'AA', 'AA']);
    await client.close();
  });

  it('is closed after silence in the middle of a message, and after a long silence', async () => {
    const { port } = await start({ limits: { stalledMs: 40, idleMs: 40 } });
    const stalled = await rawConnection(port);
    stalled.socket.write(frame(octets()).subarray(0, 50));
    const idle = await rawConnection(port);
    await Promise.all([once(stalled.socket, 'close'), once(idle.socket, 'close')]);
  });

  it('that brings a message an octet at a time is closed, though it never falls silent', async () => {
    const { port } = await start({ limits: { graceMs: 60, octetsPerSecond: 5_000 } });
    const { socket } = await rawConnection(port);
    const bytes = frame(octets());
    let sent = 0;
    const dripping = setInterval(() => socket.write(bytes.subarray(sent, ++sent)), 5);
    await once(socket, 'close');
    clearInterval(dripping);
    expect(sent).toBeLessThan(bytes.length);
  });

  it('that brings nothing but noise is closed', async () => {
    const { port } = await start({ limits: { noiseBytes: 1_000 } });
    const { socket } = await rawConnection(port);
    socket.write('x'.repeat(2_000));
    await once(socket, 'close');
  });

  it('is one of so many from one address', async () => {
    const { port } = await start({ limits: { connectionsOfOne: 2 } });
    const open = [await rawConnection(port), await rawConnection(port)];
    const third = await rawConnection(port);
    await once(third.socket, 'close');
    for (const { socket } of open) socket.destroy();
  });

  it('that brings too large a message is answered, the message refused, and stays usable', async () => {
    const address = await start({ limits: { messageBytes: 20_000 } });
    const client = await connectMllp(address);
    const large = Buffer.from(render(withField(request({ controlId: nextId() }), 'OBR', 13, 'x'.repeat(30_000))));
    const answer = await client.send(large);
    expect([code(answer), segment(answer, 'ERR')[8]]).toEqual(['AE', 'Message trop volumineux : 20000 octets au plus']);
    expect(code(await client.send(octets()))).toBe('AA');
    await client.close();
  });

  it('that brings what is no HL7 is answered AE 100', async () => {
    const { port } = await start();
    const { socket, next } = await rawConnection(port);
    socket.write(frame(Buffer.from('bonjour')));
    const answer = await next();
    expect([code(answer), segment(answer, 'ERR')[3]?.slice(0, 3)]).toEqual(['AE', '100']);
    socket.destroy();
  });

  it('that brings an acknowledgement gets none', async () => {
    const { port } = await start();
    const { socket, next } = await rawConnection(port);
    const id = nextId();
    socket.write(
      frame(
        Buffer.from(
          `MSH|^~\\&|RIS-TEST|CH-TEST|P|P|2026||ACK^R01^ACK|${id}|T|2.5.1|||||FRA|UNICODE UTF-8\rMSA|AA|XYZ\r`,
        ),
      ),
    );
    socket.write(frame(octets('AFTER-ACK')));
    expect(segment(await next(), 'MSA')[2]).toBe('AFTER-ACK');
    expect(await stored(id)).toMatchObject([{ outcome: 'noted', answer: null }]);
    socket.destroy();
  });

  it('that acknowledges what went to another establishment has acknowledged nothing', async () => {
    const { port } = await start();
    const sent = { tenant, messageType: 'MDM^T02', raw: Buffer.from('MSH|'), at: new Date(), focus: 'Task/1' };
    const own = nextId();
    const others = nextId();
    await rooms.database.transaction(tenant, async (sql) => {
      await insertOutgoing(sql, { ...sent, partner: establishment, controlId: own });
      await insertOutgoing(sql, { ...sent, partner: 'ch-autre', controlId: others });
    });
    const { socket, next } = await rawConnection(port);
    for (const controlId of [own, others]) {
      const header = `MSH|^~\\&|RIS-TEST|CH-TEST|P|P|2026||ACK^T02^ACK|${nextId()}|T|2.5.1|||||FRA|UNICODE UTF-8`;
      socket.write(frame(Buffer.from(`${header}\rMSA|AA|${controlId}\r`)));
    }
    socket.write(frame(octets('AFTER-ACKS')));
    expect(segment(await next(), 'MSA')[2]).toBe('AFTER-ACKS');
    const outcomeOf = async (partner: string, controlId: string) =>
      (await rooms.database.transaction(tenant, (sql) => findOutgoing(sql, tenant, partner, controlId)))?.answer;
    expect(await outcomeOf(establishment, own)).toBeDefined();
    expect(await outcomeOf('ch-autre', others)).toBeUndefined();
    socket.destroy();
  });

  it('never stops the listener, whatever it brings', async () => {
    const address = await start();
    const base = frame(octets('FUZZ', 'DEM-FUZZ'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 12 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(base.length),
        async (changes, garbage, cut) => {
          const broken = Buffer.from(base);
          for (const [at, octet] of changes) broken[at] = octet;
          const { socket } = await rawConnection(address.port);
          socket.end(Buffer.concat([Buffer.from(garbage), broken.subarray(0, cut), Buffer.from(garbage), broken]));
          await once(socket, 'close');
        },
      ),
      { numRuns: 40 },
    );
    expect(code(await sendMessage(address, octets()))).toBe('AA');
  }, 30_000);

  it('closes once the message being handled is answered', async () => {
    const address = await start();
    let entered: () => void = () => undefined;
    let release: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    domain.before = () => {
      entered();
      return released;
    };
    const answer = sendMessage(address, octets());
    await inside;
    const closed = mllp.close();
    release();
    expect(code(await answer)).toBe('AA');
    await closed;
    await expect(connectMllp(address)).rejects.toThrow('cannot connect');
  });
});
