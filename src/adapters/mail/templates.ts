/** The templates of the notices, one file each, read and checked when the server starts: a placeholder nobody fills stops it. */
import { readFile } from 'node:fs/promises';
import { type NoticeDefinition, type NoticeTemplate, notices } from '../../teleradiology/index.ts';
import { parseTemplate, type Template } from './template.ts';

export type Templates = Readonly<Record<NoticeTemplate, Template>>;

/** Placeholder of the number of the case. */
export const caseNumberName = 'dossier';

const folder = new URL('templates/', import.meta.url);

/** @throws Error when a file is missing or wrong. */
export async function loadTemplates(): Promise<Templates> {
  const load = async (name: NoticeTemplate) => {
    const { ofCase, facts }: NoticeDefinition = notices[name];
    const text = await readFile(new URL(`${name}.txt`, folder), 'utf8');
    return [name, parseTemplate(name, text, [...Object.keys(facts), ...(ofCase ? [caseNumberName] : [])])] as const;
  };
  return Object.fromEntries(await Promise.all((Object.keys(notices) as NoticeTemplate[]).map(load))) as Templates;
}
