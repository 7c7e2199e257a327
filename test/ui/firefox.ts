/**
 * Firefox ESR as hospitals have it, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) over its own socket: `playwright-core` drives
 * only a Firefox of its own build. Undefined where none is installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const places = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];
const waitMs = 30_000;
const pollMs = 100;

/** Nothing talks to the network: whatever is not on this machine goes through a proxy that is not there. */
const preferences = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'intl.accept_languages': 'fr-FR, fr',
};

export interface FirefoxPage {
  go(url: string): Promise<void>;
  /** Value of an expression in the page. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Waits until the expression is true. @throws Error with the text of the page when it never is. */
  until(expression: string): Promise<void>;
  /** A click of the pointer on the first element that the expression gives, once there is one. */
  click(element: string): Promise<void>;
  /** Keys as they are typed; `\uE007` is Enter, `\uE015` the arrow down (WebDriver, keyboard actions). */
  type(text: string): Promise<void>;
  /** PNG. */
  screenshot(): Promise<Buffer>;
  /** Errors and refusals of the security policy that the page told. */
  readonly complaints: readonly string[];
}

export interface Firefox {
  page: FirefoxPage;
  close(): Promise<void>;
}

export function firefoxPath(): string | undefined {
  return [process.env.FIREFOX, ...places].find((path) => path !== undefined && existsSync(path));
}

/** The caller closes it. @throws Error when it does not start. */
export async function launchFirefox(path: string): Promise<Firefox> {
  const profile = await mkdtemp(join(tmpdir(), 'passerelle-firefox-'));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  await writeFile(join(profile, 'user.js'), lines.join('\n'));
  const child = spawn(
    path,
    [
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      '--remote-debugging-port',
      '0',
      '--width',
      '1440',
      '--height',
      '1000',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile, MOZ_HEADLESS: '1' } },
  );
  const close = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const { send, complaints } = await connect(await addressOf(child));
    await send('session.new', { capabilities: {} });
    await send('session.subscribe', { events: ['log.entryAdded'] });
    const { contexts } = await send<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
    return { page: pageOf(send, contexts[0]!.context, complaints), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stderr! });
  for await (const line of lines) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address) return `${address}/session`;
  }
  throw new Error('Firefox ended before it listened');
}

type Send = <Result>(method: string, params: object) => Promise<Result>;

async function connect(address: string): Promise<{ send: Send; complaints: string[] }> {
  const socket = new WebSocket(address);
  await once(socket, 'open');
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  const complaints: string[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString());
    if (message.method === 'log.entryAdded') {
      const { level, type, text } = message.params;
      if (level === 'error' && (type === 'javascript' || /Content.Security.Policy/i.test(text))) complaints.push(text);
      return;
    }
    const entry = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === 'error') entry?.reject(new Error(`${message.error}: ${message.message}`));
    else entry?.resolve(message.result as never);
  });
  let id = 0;
  const send: Send = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  return { send, complaints };
}

function pageOf(send: Send, context: string, complaints: readonly string[]): FirefoxPage {
  async function evaluate<Value>(expression: string): Promise<Value> {
    const answer = await send<{ type: string; result?: { value: string }; exceptionDetails?: { text: string } }>(
      'script.evaluate',
      {
        expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
        target: { context },
        awaitPromise: true,
      },
    );
    if (answer.type !== 'success') throw new Error(`${answer.exceptionDetails?.text} in ${expression}`);
    return JSON.parse(answer.result!.value) as Value;
  }
  async function until(expression: string): Promise<void> {
    const end = performance.now() + waitMs;
    while (!(await evaluate<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > end)
        throw new Error(`never: ${expression}\n${await evaluate<string>('document.body.innerText.slice(0, 2000)')}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
  const perform = (actions: object[]) => send('input.performActions', { context, actions });
  return {
    complaints,
    evaluate,
    until,
    async go(url) {
      await send('browsingContext.navigate', { context, url, wait: 'complete' });
    },
    async click(element) {
      await until(element);
      const point = await evaluate<{ x: number; y: number }>(`(() => {
        const found = ${element};
        found.scrollIntoView({ block: 'center' });
        const { left, top, width, height } = found.getBoundingClientRect();
        return { x: Math.floor(left + width / 2), y: Math.floor(top + height / 2) };
      })()`);
      const press = ['pointerDown', 'pointerUp'].map((type) => ({ type, button: 0 }));
      await perform([{ type: 'pointer', id: 'mouse', actions: [{ type: 'pointerMove', ...point }, ...press] }]);
    },
    async type(text) {
      const keys = [...text].flatMap((value) => ['keyDown', 'keyUp'].map((type) => ({ type, value })));
      await perform([{ type: 'key', id: 'keyboard', actions: keys }]);
    },
    async screenshot() {
      const { data } = await send<{ data: string }>('browsingContext.captureScreenshot', { context });
      return Buffer.from(data, 'base64');
    },
  };
}
