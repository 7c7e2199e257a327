/** What a page says went wrong: an error nobody caught, a thing the security policy refused, an answer that failed. */
import type { Page } from 'playwright-core';

/**
 * Collects the complaints of a page from now on.
 * @param into where they go, when several pages complain in one place.
 * @param answers also tells failed requests; that nobody is signed in yet is none.
 */
export function complaintsOf(page: Page, into: string[] = [], { answers = false } = {}): string[] {
  page.on('pageerror', (error) => into.push(error.message));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) into.push(message.text());
  });
  if (answers) {
    page.on('response', (answer) => {
      if (answer.status() >= 400 && !answer.url().endsWith('/userinfo'))
        into.push(`${answer.status()} ${answer.url()}`);
    });
  }
  return into;
}
