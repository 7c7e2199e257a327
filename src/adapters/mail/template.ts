/**
 * A template of a notice: a text file whose first line is the subject (`Objet : …`) and whose other paragraphs are the message. `{name}`
 * stands for a fact of the notice, `{dossier}` for the number of the case. Nothing else is a placeholder, and nothing is HTML.
 */
import { ConfigError } from '../../config/index.ts';

export interface Template {
  subject: string;
  paragraphs: readonly string[];
}

const subjectLine = /^Objet\s*:\s*(\S.*)$/;
const placeholder = /\{([^{}\n]*)\}/g;

/**
 * @param names the placeholders it may use.
 * @throws ConfigError that says what is wrong with the file `name`.
 */
export function parseTemplate(name: string, text: string, names: readonly string[]): Template {
  const [first = '', ...rest] = text.replace(/\r\n/g, '\n').trim().split('\n');
  const subject = subjectLine.exec(first.trim())?.[1]?.trim();
  if (subject === undefined)
    throw new ConfigError(`Modèle de courriel ${name} : la première ligne n’est pas « Objet : … ».`);
  const paragraphs = rest
    .join('\n')
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.trim())
        .join(' ')
        .trim(),
    )
    .filter((paragraph) => paragraph !== '');
  if (paragraphs.length === 0) throw new ConfigError(`Modèle de courriel ${name} : il n’y a pas de message.`);
  for (const part of [subject, ...paragraphs]) {
    for (const [, used = ''] of part.matchAll(placeholder))
      if (!names.includes(used))
        throw new ConfigError(
          `Modèle de courriel ${name} : {${used}} n’est pas un fait de cet avis (${names.join(', ')}).`,
        );
    if (/[{}]/.test(part.replace(placeholder, '')))
      throw new ConfigError(`Modèle de courriel ${name} : une accolade sans l’autre.`);
  }
  return { subject, paragraphs };
}

/** The template with its facts in words. A value is never read as a placeholder. */
export function filled({ subject, paragraphs }: Template, words: Readonly<Record<string, string>>): Template {
  const fill = (text: string): string => text.replace(placeholder, (_all, name: string) => words[name] ?? '');
  return { subject: fill(subject).replace(/\s+/g, ' '), paragraphs: paragraphs.map(fill) };
}
