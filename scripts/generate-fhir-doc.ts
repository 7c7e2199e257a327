/**
 * Rewrites the generated tables of docs/fhir.md (between `<!-- generated -->` marks) from what the code serves.
 * Run: `node scripts/generate-fhir-doc.ts`. A test checks that the committed page is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Resource } from '@medplum/fhirtypes';
import { loadSearchDefinitions } from '../src/fhir/definitions/search-parameters.ts';
import { resourceTypesOf } from '../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../src/fhir/definitions/structure-r4.ts';
import { readArtefacts } from '../src/fhir/rest/artefacts.ts';
import { routes } from '../src/fhir/rest/routes.ts';

const page = fileURLToPath(new URL('../docs/fhir.md', import.meta.url));

/** The page with its tables made anew. */
export function withTables(markdown: string): string {
  const tables: Record<string, string> = {
    interactions: interactions(),
    definitions: definitions(),
    artefacts: artefacts(),
  };
  return markdown.replace(
    /(<!-- generated (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => `${open}${tables[name] ?? ''}${close}`,
  );
}

function interactions(): string {
  const rows = routes.map(({ method, path, interaction }) => [
    `\`${method} /${path.replace('$', '$operation')}\``,
    interaction.code,
  ]);
  return table(['address', 'interaction'], [['`POST /`', 'batch, transaction'], ...rows]);
}

function definitions(): string {
  const types = resourceTypesOf(r4Structure);
  const search = loadSearchDefinitions();
  return table(
    ['what', 'number'],
    [
      ['resource types', String(types.length)],
      ['types and parts of types with rules', String(Object.keys(r4Structure.types).length)],
      ['value sets of required bindings', String(Object.keys(r4Structure.valueSets).length)],
      [
        'search parameters, over all types',
        String(types.reduce((sum, type) => sum + search.parameters(type).length, 0)),
      ],
    ],
  );
}

function artefacts(): string {
  const rows = (readArtefacts() as (Resource & { description?: string })[]).map((artefact) => [
    `\`${artefact.resourceType}/${artefact.id}\``,
    artefact.description ?? basicDescription(artefact) ?? '',
  ]);
  return table(['artefact', 'what it is'], rows);
}

/** Topics of subscriptions and access policies are Basics; what they say lies in extensions. */
function basicDescription(artefact: Resource): string | undefined {
  if (artefact.resourceType !== 'Basic') return undefined;
  const said = artefact.extension?.find(({ url }) =>
    /SubscriptionTopic\.description$|access-policy-description$/.test(url),
  );
  return said?.valueMarkdown ?? said?.valueString;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, withTables(readFileSync(page, 'utf8')));
