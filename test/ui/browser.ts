/** A headless Chromium for tests of whole screens; undefined where none is installed. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/microsoft-edge'];

/** Software WebGL, so that the image viewer draws on a machine without a graphics card; nothing talks to the network. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** Where a browser is installed: `CHROMIUM` in the environment, else the usual places. */
export function browserPath(): string | undefined {
  return [process.env.CHROMIUM, ...places].find((path) => path !== undefined && existsSync(path));
}

/** The caller closes it. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = browserPath();
  return executablePath === undefined ? undefined : chromium.launch({ executablePath, args: flags });
}
