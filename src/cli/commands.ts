/** The operator's command line: one table, so that `--help` and the dispatcher cannot disagree. */
import type { Environment } from './environment.ts';
import { spokenMessage } from './spoken.ts';

/** A command answers its exit code. */
type Run = (args: string[], env: Environment) => Promise<number>;

interface Command {
  name: string;
  usage: string;
  /** One line, for people. */
  summary: string;
  load(): Promise<Run>;
}

const commands: readonly Command[] = [
  {
    name: 'serve',
    usage: 'serve',
    summary: 'run the server (production form: no build, no demonstration data unless DEMO=on)',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'start',
    usage: 'start',
    summary: 'build the user interface if needed, then run the server with the demonstration hospital',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'demo',
    usage: 'demo [--list | --scenario <name> | --scenario all]',
    summary:
      'the main job, or nights that must go right, end to end on free ports and fresh data, checked; artefacts in demo-output/',
    load: async () => (await import('./demo/index.ts')).demo,
  },
  {
    name: 'bench',
    usage: 'bench [suite…] [--json]',
    summary: 'measure, each figure beside the raw limit of the same run',
    load: async () => (await import('./bench/index.ts')).bench,
  },
  {
    name: 'build-ui',
    usage: 'build-ui',
    summary: 'build the user interface if its sources changed, and stop',
    load: async () => (await import('./build-ui.ts')).buildUi,
  },
  {
    name: 'relabel',
    usage: 'relabel [tenant]',
    summary:
      'say of everything stored which establishment it belongs to (after an upgrade); list accounts bound to none',
    load: async () => (await import('./relabel.ts')).relabel,
  },
  {
    name: 'migrate',
    usage: 'migrate',
    summary: 'bring the database to this version and stop',
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  {
    name: 'token',
    usage: 'token <account>',
    summary: 'print a bearer token of an account, for the server at BASE_URL or PORT',
    load: async () => (await import('./token.ts')).token,
  },
  {
    name: 'user',
    usage: 'user list | user add <tenant> <login> <role> <reference> | user disable <login>',
    summary: 'accounts: the password of a new one is printed once',
    load: async () => (await import('./user.ts')).user,
  },
  {
    name: 'clients',
    usage:
      'clients list | add <tenant> <client id> --kind … --scope … | rotate <client id> --keys … | disable <client id> | enable <client id>',
    summary: 'machines and third-party apps: their keys, certificates, scopes and establishment',
    load: async () => (await import('./clients.ts')).clients,
  },
  {
    name: 'tenants',
    usage:
      'tenants list [tenant] | create <file.json> | accept <tenant> <login> --role … [--establishment …] [--until …] | revoke <tenant> <login> | establishments <tenant> <login> [id…]',
    summary: 'hospital groups with their establishments, and whom of another group each accepts',
    load: async () => (await import('./tenants.ts')).tenants,
  },
  {
    name: 'technical-account',
    usage: 'technical-account list [tenant] | give <tenant> <login> <holder> <company> <reason> | end <tenant> <login>',
    summary: 'who holds and who held the accounts of machines and of maintenance',
    load: async () => (await import('./technical-account.ts')).technicalAccount,
  },
  {
    name: 'messages',
    usage: 'messages [list [AE|AR|AA|noted] | show <tenant> <control id> | replay <tenant> <control id>]',
    summary: 'HL7 v2 messages received and what was answered; show the bytes; send a kept one again to the server',
    load: async () => (await import('./messages.ts')).messages,
  },
  {
    name: 'quarantine',
    usage: 'quarantine [list | export <tenant> <id> <file> | destroy <tenant> <id>]',
    summary: 'infected files kept apart: which, the file itself for analysis, destroy it',
    load: async () => (await import('./quarantine.ts')).quarantine,
  },
  {
    name: 'deliveries',
    usage: 'deliveries [list | replay <tenant> <id>]',
    summary: 'what waits to leave, is held or failed; put a dead letter back',
    load: async () => (await import('./deliveries.ts')).deliveries,
  },
  {
    name: 'penalties',
    usage: 'penalties <tenant> <establishment> <YYYY-MM> [--csv]',
    summary: 'what late clocks of a month cost by the contract of an establishment',
    load: async () => (await import('./penalties.ts')).penalties,
  },
  {
    name: 'incidents',
    usage: 'incidents [list [--all] | close <tenant> <id> <what was done>]',
    summary: 'security incidents of every tenant; close one with a word about what was done',
    load: async () => (await import('./incidents.ts')).incidents,
  },
  {
    name: 'account-review',
    usage:
      'account-review <tenant> [2026-Q4|2026] [--json] | decide <tenant> <period> <login> <kept|changed|withdrawn> [reason]',
    summary: 'who has what and who used it, each quarter; who still needs it, each year; what was decided',
    load: async () => (await import('./account-review.ts')).accountReview,
  },
  {
    name: 'maintenance',
    usage:
      'maintenance list <tenant> | announce <tenant> <login> --person … --company … --reason … --from … --to … | close <tenant> <id> --report … | report <tenant> <id>',
    summary: 'windows of remote maintenance: announced, closed with a report, every command and request in it',
    load: async () => (await import('./maintenance.ts')).maintenance,
  },
  {
    name: 'audit-verify',
    usage: 'audit-verify [--tenant …] [--since <day>] [--keys <folder>] [--anchors <folder>]',
    summary: 'prove the chain of the audit trail; names the first link that does not hold (exit code 1)',
    load: async () => (await import('./audit-verify.ts')).auditVerify,
  },
  {
    name: 'audit-export',
    usage:
      'audit-export write <folder> [--tenant …] [--all] --for <public key>… | verify <folder of a tenant> --keys <folder>',
    summary:
      'the audit trail as files that prove themselves, from where the last export ended; prove such files without a database',
    load: async () => (await import('./audit-export.ts')).auditExport,
  },
  {
    name: 'audit-retention',
    usage: 'audit-retention list | set <tenant> --contract-end <day> [--keep-days …] | destroy <month>',
    summary:
      'how long the audit trail is kept; destroy whole months that are sealed, exported and over, with a certificate',
    load: async () => (await import('./audit-retention.ts')).auditRetention,
  },
  {
    name: 'audit-reindex',
    usage: 'audit-reindex [--tenant …]',
    summary: 'compute the search values of AuditEvents anew, as the owner of the tables',
    load: async () => (await import('./audit-reindex.ts')).auditReindex,
  },
  {
    name: 'audit-key',
    usage: 'audit-key list | rotate',
    summary: 'public keys of the audit trail; make another key the one that signs',
    load: async () => (await import('./audit-key.ts')).auditKey,
  },
  {
    name: 'keys',
    usage: 'keys list | rotate | rewrap | seal | retire <id>',
    summary: 'master keys of data at rest: a new one, everything wrapped with it, what is older than the vault sealed',
    load: async () => (await import('./keys.ts')).keys,
  },
  {
    name: 'backup',
    usage: 'backup --to <folder | file.backup> [--keep-days <days>] | backup verify --from <folder | file.backup>',
    summary: 'database, images and signing keys of one moment: sealed, signed, verified after it is written',
    load: async () => (await import('./backup/index.ts')).backup,
  },
  {
    name: 'restore',
    usage: 'restore --from <folder | file.backup>',
    summary: 'a backup into an empty database and data folder; prints how long it took and how old it is',
    load: async () => (await import('./backup/index.ts')).restore,
  },
  {
    name: 'sbom',
    usage: 'sbom [file]',
    summary:
      'bill of materials of what is shipped: CycloneDX 1.6, with licences and hashes, checked against its schema',
    load: async () => (await import('./sbom/index.ts')).sbom,
  },
  {
    name: 'mail-domain',
    usage: 'mail-domain <domain> [--selector <name>]…',
    summary:
      'whether mail in the name of a domain can be forged: SPF, DKIM, DMARC; exit code 1 when there is a problem',
    load: async () => (await import('./mail-domain/index.ts')).mailDomain,
  },
  {
    name: 'privacy',
    usage:
      'privacy register <tenant> [--json] | export <tenant> <patient id> --to <folder> --for <public key>… | open <folder> --to <folder> --identity <file>',
    summary: 'the register of processing; everything there is of one patient, with who had access',
    load: async () => (await import('./privacy/index.ts')).privacy,
  },
  {
    name: 'retention',
    usage: 'retention run [tenant] [--dry-run]',
    summary: 'destroy closed cases whose time is over by the setting of their establishment, with a signed certificate',
    load: async () => (await import('./privacy/index.ts')).retention,
  },
  {
    name: 'contract',
    usage:
      'contract return <tenant> [--establishment <id>] --to <folder> --for <public key>… | verify <folder> | destroy <tenant> [--establishment <id>] --return <folder> --confirm <name>',
    summary: 'end of a contract: everything returned, then destroyed with a signed certificate',
    load: async () => (await import('./privacy/index.ts')).contract,
  },
  {
    name: 'terminology',
    usage:
      'terminology load <loinc|snomed|ccam|cim10|fhir> <file or folder> [--tenant …] [--version …] [--url …] [--keep] | list | remove <url> [version]',
    summary: 'code systems from their official files, for every tenant unless one is named',
    load: async () => (await import('./terminology.ts')).terminology,
  },
];

/**
 * Runs the command named first.
 * @returns the process's exit code: 0 done, 1 failed, 2 not understood.
 */
export async function runCommand(args: string[], env: Environment): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    process.stderr.write(`Unknown command "${name}".\n\n${help()}`);
    return 2;
  }
  if (rest.includes('--help')) {
    process.stdout.write(`${command.usage}\n  ${command.summary}\n`);
    return 0;
  }
  try {
    const run = await command.load();
    if (!env.MAINTENANCE_WINDOW) return await run(rest, env);
    const { recordedRun } = await import('./recorded-run.ts');
    return await recordedRun(args, env, env.MAINTENANCE_WINDOW, () => run(rest, env));
  } catch (error) {
    process.stderr.write(`${spokenMessage(error) ?? (error as Error).stack ?? error}\n`);
    return 1;
  }
}

function help(): string {
  const lines = commands.map((command) => `  ${command.usage}\n      ${command.summary}`);
  return `npm run passerelle -- <command>\n\n${lines.join('\n')}\n`;
}
