/** Text of a page in which everything put in is escaped, unless it is such text itself. */

export interface Html {
  readonly html: string;
}

type Part = string | number | Html | undefined | false | readonly Part[];

/** Tag of templates: html`<b>${text}</b>`. Attributes stand in double quotes. */
export function html(fixed: TemplateStringsArray, ...parts: Part[]): Html {
  let text = fixed[0]!;
  for (const [index, part] of parts.entries()) text += rendered(part) + fixed[index + 1]!;
  return { html: text };
}

/** Text that is HTML already: made here, or cleaned. */
export function trusted(text: string): Html {
  return { html: text };
}

function rendered(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  if ('html' in part) return part.html;
  return part.map(rendered).join('');
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => references[character]!);
}
