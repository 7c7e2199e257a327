import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendMessage } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { signIn } from '../../src/cli/demo/people.ts';
import { demoCases } from '../../src/cli/demonstration/cases.ts';
import { requestMessage } from '../../src/cli/demonstration/messages.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const password = 'Nuit-de-garde-2026';
let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ DEMO_PASSWORD: password });
});
afterAll(() => server?.stop());

/** The operator's command line beside the running server, as `npm run passerelle --` gives it. */
function run(...args: string[]) {
  const env = {
    ...process.env,
    BASE_URL: '',
    DATABASE_URL: '',
    DATA_DIR: server.dataDir,
    PORT: new URL(server.httpUrl).port,
    MLLP_PORT: String(server.mllpPort),
    LOG_LEVEL: 'silent',
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the command line', () => {
  it('lists every command, and answers 2 to one it does not know', () => {
    const help = run('--help');
    expect(help.status).toBe(0);
    for (const name of ['serve', 'demo', 'bench', 'migrate', 'token', 'user', 'messages', 'deliveries']) {
      expect(help.stdout).toContain(`  ${name}`);
    }
    expect(run('dance')).toMatchObject({ status: 2, stderr: expect.stringContaining('Commande inconnue : « dance »') });
  });

  it('does its work to the end, and in silence, when nobody reads it any more', async () => {
    const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, complaint]).toEqual([0, '']);
  });

  it.skipIf(!existsSync('/dev/full'))('says so, and fails, when what it prints cannot be kept', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [main, '--help'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect([status, stderr]).toEqual([1, expect.stringContaining('n’a pas pu être écrite (ENOSPC)')]);
  });

  it('refuses a second server on the same data, and says which process holds it', () => {
    const second = run('serve');
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`Un serveur (processus ${server.process.pid}) tourne déjà sur DATA_DIR=`);
  });

  it('tells what late clocks cost an establishment, and refuses what is no month', () => {
    expect(run('penalties', 'demo', 'ch-exemple', '2026-05')).toMatchObject({ status: 0, stdout: '0 retard\n' });
    expect(run('penalties', 'demo', 'ch-exemple', '2026-05', '--csv').stdout).toContain('"Dossier";"Horloge"');
    expect(run('penalties', 'demo', 'ch-exemple', 'mai').stderr).toContain('AAAA-MM');
  });

  it('makes an account that can sign in, and shuts it off', async () => {
    const added = run('user', 'add', 'demo', 'second.lecteur', 'radiologist', 'Practitioner/radiologue');
    const secret = /^second\.lecteur : (\S+)$/m.exec(added.stdout)?.[1] ?? '';
    expect(added.status).toBe(0);
    expect(run('user', 'list').stdout).toContain('demo  second.lecteur  radiologist  Practitioner/radiologue  actif');
    await expect(signIn(server.httpUrl, 'second.lecteur', secret)).resolves.toBeDefined();
    expect(run('user', 'disable', 'second.lecteur').status).toBe(0);
    await expect(signIn(server.httpUrl, 'second.lecteur', secret)).rejects.toThrow('401');
    expect(run('user', 'add', 'demo', 'x', 'king', 'Practitioner/radiologue').stderr).toContain(
      '« king » n’est pas un rôle',
    );
  });

  it('gives a token for the running server, and none for an account nobody has', async () => {
    const token = await server.token('conformance');
    const answer = await fetch(`${server.httpUrl}/fhir/Patient`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    expect(run('token', 'nobody').status).toBe(1);
  });

  it('lists what a RIS sent, shows a refused message and sends it again', async () => {
    const [exam] = demoCases();
    const now = new Date();
    const refused = requestMessage(exam!, 'CLI0000001', now).replace(/OBX\|\d+\|CE\|MODALITE_IMAGERIE[^\r]*\r/, '');
    const to = { host: '127.0.0.1', port: server.mllpPort };
    expect((await sendMessage(to, Buffer.from(refused))).toString()).toContain('MSA|AE|CLI0000001');
    expect(run('messages', 'list', 'AE').stdout).toMatch(
      /^demo {2}\S+ {2}RIS-EX\|CH-EXEMPLE {2}ORM\^O01 {2}CLI0000001 {2}AE/m,
    );
    expect(run('messages', 'show', 'demo', 'CLI0000001').stdout).toBe(`${refused.replaceAll('\r', '\n')}\n`);
    const again = run('messages', 'replay', 'demo', 'CLI0000001');
    expect(again).toMatchObject({ status: 1, stdout: expect.stringContaining('MSA|AE|CLI0000001') });
    const latin = refused.replaceAll('’', "'").replace('CLI0000001', 'CLI0000002').replace('UNICODE UTF-8', '8859/15');
    await sendMessage(to, Buffer.from(latin, 'latin1'));
    expect(run('messages', 'show', 'demo', 'CLI0000002').stdout).toBe(`${latin.replaceAll('\r', '\n')}\n`);
    expect(run('messages', 'show', 'demo', 'NONE').stderr).toContain('Le groupe demo n’a reçu aucun message NONE');
  });

  it('shows what waits to leave', () => {
    expect(run('deliveries')).toMatchObject({ status: 0 });
    expect(run('deliveries', 'replay', 'demo', 'NOTHING').status).toBe(1);
  });
});
