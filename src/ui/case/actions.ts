/** Which actions the page offers now. */
import { type CaseAction, caseActions, noNews } from './action-list.ts';
import type { Transitions } from './transitions.ts';

export type OfferedAction = CaseAction & { blockedBy: string | undefined };

/** Actions to show: the legal ones, and those held back with the reason people must know. */
export function offeredActions({ legal, blocked }: Transitions): OfferedAction[] {
  return caseActions
    .filter(({ name }) => legal.includes(name) || (name in blocked && noNews[name] === undefined))
    .map((action) => ({ ...action, blockedBy: legal.includes(action.name) ? undefined : blocked[action.name] }));
}

/** What a filled-in dialog is sent as: nothing for what was left empty, true or false for a tick. */
export function actionValues(action: CaseAction, form: FormData): Record<string, string | boolean> {
  const values: Record<string, string | boolean> = {};
  for (const { name, kind } of action.fields) {
    const text = String(form.get(name) ?? '').trim();
    if (kind === 'tick') values[name] = text !== '';
    else if (kind === 'choice' && (text === 'true' || text === 'false')) values[name] = text === 'true';
    else if (text !== '') values[name] = text;
  }
  return values;
}
