/**
 * The register of processing (GDPR article 30), generated: which kinds of data there are comes from the database, their profiles from
 * fhir-profiles, what they are processed for from mappings/privacy. A table or type nobody described is named, never left out.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Organization, StructureDefinition } from '@medplum/fhirtypes';
import type { DataRoom } from '../data-room.ts';

interface Activity {
  id: string;
  title: string;
  purpose: string;
  legalBasis: string;
  persons: string;
  data: string;
  recipients: string;
  retention: string;
  types: string[];
  /** Names, or beginnings of names followed by `*`. */
  tables: string[];
}

interface Description {
  controller: string;
  measures: string[];
  activities: Activity[];
}

export interface RegisterEntry extends Activity {
  /** Types of this activity that hold something now, with how many resources. */
  used: Record<string, number>;
  profiles: { type: string; title: string; url: string }[];
}

export interface Register {
  at: string;
  tenant: string;
  controller: string;
  measures: string[];
  activities: RegisterEntry[];
  /** Retention set by establishments: `Organization/id` and days. */
  retention: { establishment: string; name: string; days?: number }[];
  /** Types and tables that hold something and that no activity describes. */
  undescribed: string[];
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** @param retentionOf the setting of an establishment. */
export async function buildRegister(
  { store, database, config, context }: DataRoom,
  tenant: string,
  retentionOf: (organization: Organization) => number | undefined,
): Promise<Register> {
  const description: Description = JSON.parse(await readFile(join(root, 'mappings/privacy/register.json'), 'utf8'));
  const profiles = await ownProfiles();
  const { rows: tables } = await database.query<{ name: string; type: string | null }>(
    tenant,
    `SELECT c.oid::regclass::text AS name,
       CASE WHEN n.nspname = 'fhir' AND EXISTS (SELECT FROM pg_class p WHERE p.relnamespace = n.oid AND p.relname = c.relname || '_past')
         THEN c.relname END AS type
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'fhir', 'terminology')
       AND c.relname NOT LIKE '%\\_past' AND c.oid::regclass::text <> 'migration'
     ORDER BY 1`,
  );
  const used = new Map<string, number>();
  for (const { type } of tables) {
    if (type === null) continue;
    const { rows } = await database.query<{ rows: number }>(
      tenant,
      `SELECT count(*)::int AS rows FROM fhir."${type}" WHERE tenant = $1 AND NOT deleted`,
      [tenant],
    );
    if (rows[0] && rows[0].rows > 0) used.set(type, rows[0].rows);
  }
  const described = new Set(description.activities.flatMap(({ types }) => types.map((type) => type.toLowerCase())));
  const patterns = description.activities.flatMap((activity) => activity.tables);
  const undescribed = [
    ...[...used.keys()].filter((type) => !described.has(type)),
    ...tables
      .filter(({ name, type }) => type === null && !patterns.some((pattern) => matches(pattern, name)))
      .map(({ name }) => name),
  ];
  const organizations = await store.transaction(context(tenant, 'operator:privacy-register'), (tx) =>
    tx.search('Organization', '_count=1000'),
  );
  return {
    at: config.clock.now().toISOString(),
    tenant,
    ...{ controller: description.controller, measures: description.measures },
    activities: description.activities.map((activity) => ({
      ...activity,
      used: Object.fromEntries(
        activity.types.flatMap((type) => {
          const rows = used.get(type.toLowerCase());
          return rows === undefined ? [] : [[type, rows]];
        }),
      ),
      profiles: profiles.filter(({ type }) => activity.types.includes(type)),
    })),
    retention: organizations.map((organization) => {
      const days = retentionOf(organization);
      return {
        establishment: organization.id!,
        name: organization.name ?? '',
        ...(days === undefined ? {} : { days }),
      };
    }),
    undescribed,
  };
}

export function registerMarkdown(register: Register): string {
  const { activities, retention, undescribed } = register;
  const lines = [
    `# Registre des traitements – ${register.tenant}`,
    '',
    `Établi le ${register.at.slice(0, 10)} à partir des profils FHIR et des tables en service.`,
    '',
    register.controller,
  ];
  for (const activity of activities) {
    const types = Object.entries(activity.used).map(([type, rows]) => `${type} (${rows})`);
    const profiles = activity.profiles.map(({ type, title }) => `${title} (${type})`);
    lines.push('', `## ${activity.title}`, '', '| | |', '|---|---|');
    lines.push(
      ...(
        [
          ['Finalité', activity.purpose],
          ['Base légale', activity.legalBasis],
          ['Personnes concernées', activity.persons],
          ['Données', activity.data],
          ['Destinataires', activity.recipients],
          ['Conservation', activity.retention],
          ['Ressources FHIR présentes', types.join(', ') || 'aucune'],
          ['Profils', profiles.join(', ') || 'FHIR R4'],
          ['Tables', activity.tables.map((table) => `\`${table}\``).join(', ') || '–'],
        ] as const
      ).map(([label, value]) => `| ${label} | ${value} |`),
    );
  }
  lines.push('', '## Conservation fixée par les établissements', '', '| établissement | durée |', '|---|---|');
  for (const { establishment, name, days } of retention) {
    lines.push(
      `| ${name || establishment} | ${days === undefined ? 'sans limite avant la fin du contrat' : `${days} jours après clôture`} |`,
    );
  }
  lines.push('', '## Mesures de sécurité', '', ...register.measures.map((measure) => `- ${measure}`));
  if (undescribed.length > 0) lines.push('', '## À décrire', '', ...undescribed.map((name) => `- \`${name}\``));
  return `${lines.join('\n')}\n`;
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

async function ownProfiles(): Promise<RegisterEntry['profiles']> {
  const folder = join(root, 'fhir-profiles/profiles');
  const profiles: RegisterEntry['profiles'] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith('.json')) continue;
    const {
      type,
      title,
      name: short,
      url,
    }: StructureDefinition = JSON.parse(await readFile(join(folder, name), 'utf8'));
    profiles.push({ type, title: title ?? short, url });
  }
  return profiles;
}
