/** The operator's command line: one table, so that `--help` and the dispatcher cannot disagree. */
import type { Environment } from './environment.ts';
import { spokenMessage } from './spoken.ts';

/** A command answers its exit code. */
type Run = (args: string[], env: Environment) => Promise<number>;

interface Command {
  name: string;
  usage: string;
  /** One line, in French, for people. */
  summary: string;
  load(): Promise<Run>;
}

const commands: readonly Command[] = [
  {
    name: 'serve',
    usage: 'serve',
    summary: 'lance le serveur (exploitation : ni construction, ni données de démonstration sauf DEMO=on)',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'start',
    usage: 'start',
    summary: 'construit l’interface si besoin, puis lance le serveur avec l’hôpital de démonstration',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'demo',
    usage: 'demo [--list | --scenario <nom> | --scenario all]',
    summary:
      'le travail principal, ou des gardes entières, rejoués et contrôlés sur des ports libres et des données neuves ; pièces dans demo-output/',
    load: async () => (await import('./demo/index.ts')).demo,
  },
  {
    name: 'bench',
    usage: 'bench [suite…] [--json]',
    summary: 'mesure, chaque chiffre à côté de la limite brute de la même exécution',
    load: async () => (await import('./bench/index.ts')).bench,
  },
  {
    name: 'build-ui',
    usage: 'build-ui',
    summary: 'construit l’interface si ses sources ont changé, et s’arrête',
    load: async () => (await import('./build-ui.ts')).buildUi,
  },
  {
    name: 'relabel',
    usage: 'relabel [groupe]',
    summary:
      'dit de tout ce qui est rangé à quel établissement il appartient (après une mise à jour) ; nomme les comptes liés à aucun',
    load: async () => (await import('./relabel.ts')).relabel,
  },
  {
    name: 'migrate',
    usage: 'migrate',
    summary: 'met la base à cette version, et s’arrête',
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  {
    name: 'token',
    usage: 'token <compte>',
    summary: 'affiche un jeton d’un compte, pour le serveur à BASE_URL ou PORT',
    load: async () => (await import('./token.ts')).token,
  },
  {
    name: 'user',
    usage: 'user list | add <groupe> <login> <rôle> <référence> | disable <login> | enable <login>',
    summary: 'comptes : le mot de passe d’un nouveau est affiché une fois',
    load: async () => (await import('./user.ts')).user,
  },
  {
    name: 'clients',
    usage:
      'clients list | add <groupe> <client> --kind … --scope … | rotate <client> --keys … | disable <client> | enable <client>',
    summary: 'machines et applications tierces : clés, certificats, droits (scopes) et établissement',
    load: async () => (await import('./clients.ts')).clients,
  },
  {
    name: 'tenants',
    usage:
      'tenants list [groupe] | create <fichier.json> | accept <groupe> <login> --role … [--establishment …] [--until …] | revoke <groupe> <login> | establishments <groupe> <login> [Organization…]',
    summary: 'groupes hospitaliers, leurs établissements, et qui d’un autre groupe chacun accepte',
    load: async () => (await import('./tenants.ts')).tenants,
  },
  {
    name: 'technical-account',
    usage:
      'technical-account list [groupe] | give <groupe> <login> <détenteur> <société> <motif> | end <groupe> <login>',
    summary: 'qui détient et qui a détenu les comptes de machines et de maintenance',
    load: async () => (await import('./technical-account.ts')).technicalAccount,
  },
  {
    name: 'messages',
    usage: 'messages [list [AE|AR|AA|noted] | show <groupe> <MSH-10> [émetteur] | replay <groupe> <MSH-10> [émetteur]]',
    summary: 'messages HL7 v2 reçus et réponse donnée ; les octets de l’un ; le présenter de nouveau au serveur',
    load: async () => (await import('./messages.ts')).messages,
  },
  {
    name: 'quarantine',
    usage: 'quarantine [list | export <groupe> <id> <fichier> | destroy <groupe> <id>]',
    summary: 'fichiers infectés gardés à part : lesquels, en sortir un pour analyse, le détruire',
    load: async () => (await import('./quarantine.ts')).quarantine,
  },
  {
    name: 'deliveries',
    usage: 'deliveries [list | replay <groupe> <id>]',
    summary: 'ce qui attend de partir, est retenu ou a échoué ; remettre un envoi abandonné en file',
    load: async () => (await import('./deliveries.ts')).deliveries,
  },
  {
    name: 'penalties',
    usage: 'penalties <groupe> <établissement> <AAAA-MM> [--csv]',
    summary: 'ce que coûtent les retards d’un mois selon le contrat d’un établissement',
    load: async () => (await import('./penalties.ts')).penalties,
  },
  {
    name: 'incidents',
    usage: 'incidents [list [--all] | close <groupe> <id> <ce qui a été fait>]',
    summary: 'incidents de sécurité de tous les groupes ; en clore un en disant ce qui a été fait',
    load: async () => (await import('./incidents.ts')).incidents,
  },
  {
    name: 'account-review',
    usage:
      'account-review <groupe> [2026-Q4|2026] [--json] | decide <groupe> <période> <login> <kept|changed|withdrawn> [motif]',
    summary:
      'revue des comptes : qui a quoi et s’en sert, chaque trimestre ; qui en a besoin, chaque année ; ce qui est décidé',
    load: async () => (await import('./account-review.ts')).accountReview,
  },
  {
    name: 'maintenance',
    usage:
      'maintenance list <groupe> | announce <groupe> <login> --person … --company … --reason … --from … --to … | close <groupe> <id> --report … | report <groupe> <id>',
    summary: 'fenêtres de télémaintenance : annoncées, closes avec un compte rendu, chaque commande et requête dedans',
    load: async () => (await import('./maintenance.ts')).maintenance,
  },
  {
    name: 'audit-verify',
    usage: 'audit-verify [--tenant <groupe>] [--since <jour>] [--keys <dossier>] [--anchors <dossier>]',
    summary: 'prouve la chaîne de la trace d’audit ; nomme le premier maillon qui ne tient pas (code de retour 1)',
    load: async () => (await import('./audit-verify.ts')).auditVerify,
  },
  {
    name: 'audit-export',
    usage:
      'audit-export write <dossier> [--tenant <groupe>] [--all] --for <clé publique>… | verify <dossier d’un groupe> --keys <dossier>',
    summary:
      'la trace d’audit en fichiers qui se prouvent, depuis la fin du dernier export ; prouver ces fichiers sans base',
    load: async () => (await import('./audit-export.ts')).auditExport,
  },
  {
    name: 'audit-retention',
    usage: 'audit-retention list | set <groupe> --contract-end <jour> [--keep-days <jours>] | destroy <mois>',
    summary:
      'durée de conservation de la trace d’audit ; détruire, avec certificat, des mois entiers scellés, exportés et échus',
    load: async () => (await import('./audit-retention.ts')).auditRetention,
  },
  {
    name: 'audit-reindex',
    usage: 'audit-reindex [--tenant <groupe>]',
    summary: 'refait les valeurs de recherche des AuditEvent, en propriétaire des tables',
    load: async () => (await import('./audit-reindex.ts')).auditReindex,
  },
  {
    name: 'audit-key',
    usage: 'audit-key list | rotate',
    summary: 'clés publiques de la trace d’audit ; faire signer une nouvelle clé',
    load: async () => (await import('./audit-key.ts')).auditKey,
  },
  {
    name: 'keys',
    usage: 'keys list | rotate | rewrap | seal | retire <id>',
    summary:
      'clés maîtresses des données au repos : en changer, tout passer sous la nouvelle, sceller ce qui est encore en clair',
    load: async () => (await import('./keys.ts')).keys,
  },
  {
    name: 'backup',
    usage:
      'backup --to <dossier | fichier.backup> [--keep-days <jours>] | backup verify --from <dossier | fichier.backup>',
    summary: 'base, images et clés de signature d’un même instant : scellées, signées, vérifiées après écriture',
    load: async () => (await import('./backup/index.ts')).backup,
  },
  {
    name: 'restore',
    usage: 'restore --from <dossier | fichier.backup>',
    summary: 'une sauvegarde dans une base et un dossier vides ; dit le temps mis et l’âge de la sauvegarde',
    load: async () => (await import('./backup/index.ts')).restore,
  },
  {
    name: 'sbom',
    usage: 'sbom [fichier]',
    summary: 'nomenclature de ce qui est livré : CycloneDX 1.6, licences et empreintes, contrôlée par son schéma',
    load: async () => (await import('./sbom/index.ts')).sbom,
  },
  {
    name: 'mail-domain',
    usage: 'mail-domain <domaine> [--selector <nom>]…',
    summary: 'peut-on imiter les courriels d’un domaine : SPF, DKIM, DMARC ; code de retour 1 s’il y a un problème',
    load: async () => (await import('./mail-domain/index.ts')).mailDomain,
  },
  {
    name: 'privacy',
    usage:
      'privacy register <groupe> [--json] | export <groupe> <Patient> --to <dossier> --for <clé publique>… | open <dossier> --to <dossier> --identity <fichier>',
    summary: 'le registre des traitements ; tout ce qu’il y a d’un patient, et qui y a eu accès',
    load: async () => (await import('./privacy/index.ts')).privacy,
  },
  {
    name: 'retention',
    usage: 'retention run [groupe] [--dry-run]',
    summary: 'détruit, avec certificat signé, les dossiers clos dont la durée fixée par leur établissement est passée',
    load: async () => (await import('./privacy/index.ts')).retention,
  },
  {
    name: 'contract',
    usage:
      'contract return <groupe> [--establishment <Organization>] --to <dossier> --for <clé publique>… | verify <dossier> | destroy <groupe> [--establishment <Organization>] --return <dossier> --confirm <nom>',
    summary: 'fin de contrat : tout est restitué, puis détruit avec un certificat signé',
    load: async () => (await import('./privacy/index.ts')).contract,
  },
  {
    name: 'terminology',
    usage:
      'terminology load <loinc|snomed|ccam|cim10|fhir> <fichier ou dossier> [--tenant <groupe>] [--version …] [--url …] [--keep] | list | remove <url> [version]',
    summary: 'nomenclatures depuis leurs fichiers officiels, pour tous les groupes sauf si l’un est nommé',
    load: async () => (await import('./terminology.ts')).terminology,
  },
];

/** What the usages do not say. */
const words = `<groupe> : nom d’un groupe hospitalier (« tenants list »), ou platform. <Organization>, <Patient> : identifiant de la ressource.
Code de retour : 0 fait, 1 échec, 2 commande non comprise. Guide : docs/guide-exploitation.md.`;

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
    process.stderr.write(`Commande inconnue : « ${name} ».\n\n${help()}`);
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
    if (isAboutArguments(error)) process.stderr.write(`${command.usage}\n`);
    return 1;
  }
}

function isAboutArguments(error: unknown): boolean {
  return String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS_');
}

function help(): string {
  const lines = commands.map((command) => `  ${command.usage}\n      ${command.summary}`);
  return `npm run passerelle -- <commande>\n\n${lines.join('\n')}\n\n${words}\n`;
}
