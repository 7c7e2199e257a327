/**
 * What keeps some people out of a page: WCAG 2.2 A and AA (what the RGAA asks of public health services) as `axe-core` finds it.
 * `axe-core` is fetched by test/long/fetch-clients.sh; where it is missing nothing is looked at.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const script = fileURLToPath(new URL('../../data/referees/clients/node_modules/axe-core/axe.min.js', import.meta.url));

/** Whether the referee is here. */
export const looksForBarriers = existsSync(script);

const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((found) =>
  found.violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all }) => [id, html.slice(0, 200), ((any[0] ?? all[0] ?? {}).message ?? '').slice(0, 200)].join(' | '))))`;

/** What fades in or out is not what anybody reads, and what still loads differs from run to run: looked at once it has come to rest, and twice. */
const betweenLooksMs = 500;
const atRest = `Promise.race([
  Promise.allSettled(document.getAnimations().map((each) => each.finished)),
  new Promise((resolve) => setTimeout(resolve, 2000)),
]).then(() => undefined)`;

/** @returns one line a barrier, with the element it is at. */
export async function barriersOf(page: Page): Promise<string[]> {
  if (!looksForBarriers) return [];
  // By the debugger: the page's own security policy lets no script in, and must not.
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails)
      throw new Error(`axe-core: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value as unknown;
  };
  try {
    await evaluate(`${await readFile(script, 'utf8')}; undefined`);
    const look = async () => {
      await evaluate(atRest);
      return (await evaluate(run)) as string[];
    };
    const found = await look();
    if (found.length === 0) return found;
    await new Promise((resolve) => setTimeout(resolve, betweenLooksMs));
    const again = new Set(await look());
    return found.filter((barrier) => again.has(barrier));
  } finally {
    await session.detach();
  }
}
