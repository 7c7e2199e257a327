/** A form for every search parameter of a type (https://hl7.org/fhir/R4/search.html), filled with what was searched last. */
import { type Html, html } from './html.ts';
import { placeholderOf } from './words.ts';

export interface SearchField {
  name: string;
  /** Type of search parameter; `''` for those about the answer. */
  type: string;
}

/** How many and in which order. */
const answerFields: readonly SearchField[] = [
  { name: '_sort', type: '' },
  { name: '_count', type: '' },
  { name: '_include', type: '' },
  { name: '_revinclude', type: '' },
];

export interface SearchForm {
  type: string;
  /** Path the form is sent to. */
  action: string;
  fields: readonly SearchField[];
  /** As searched, URL-encoded. Criteria the form has no field for (modifiers, chains) get one of their own. */
  query: string;
}

export function searchForm({ type, action, fields, query }: SearchForm): Html {
  const asked = [...new URLSearchParams(query)].filter(([name]) => name !== '_cursor');
  const known = [...fields, ...answerFields];
  const names = new Set(known.map(({ name }) => name));
  const first = (name: string) => asked.find(([other]) => other === name)?.[1] ?? '';
  const further = asked.filter(
    ([name], index) => !names.has(name) || asked.findIndex(([other]) => other === name) < index,
  );
  const isOpen = asked.length === 0;
  return html`<details class="search"${isOpen && html` open`}>
<summary>Rechercher dans ${type}</summary>
<form action="${action}" method="get">
<div class="fields">
${further.map(([name, value]) => field({ name, type: '' }, value))}
${known.map((parameter) => field(parameter, first(parameter.name)))}
</div>
<button>Rechercher</button>
</form>
</details>`;
}

function field({ name, type }: SearchField, value: string): Html {
  return html`<label><span>${name}</span><input name="${name}" value="${value}" placeholder="${placeholderOf(type)}" autocomplete="off"></label>
`;
}
