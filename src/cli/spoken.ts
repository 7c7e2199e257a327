/** Errors that say all a person needs: what is wrong and what to do, in a sentence. Any other is a fault of ours and keeps its stack. */
import { ConfigError } from '../config/index.ts';
import { EmbeddedPostgresError, MigrationError } from '../db/index.ts';
import { CommandError } from './command-error.ts';

const spokenTypes = [CommandError, ConfigError, EmbeddedPostgresError, MigrationError];

/** Nobody answers at an address (Node's error codes). */
const unanswered: readonly string[] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
];
/** PostgreSQL lets nobody in, or not there (SQLSTATE): what it says names no data. */
const notLetIn: readonly string[] = ['28000', '28P01', '3D000', '42501', '42P01', '3F000', '53300', '57P03'];
/** Files and folders (Node's error codes). */
const files: Readonly<Record<string, string>> = {
  ENOENT: 'Fichier ou dossier introuvable',
  EACCES: 'Accès refusé',
  EPERM: 'Accès refusé',
  EEXIST: 'Existe déjà',
  ENOTDIR: 'N’est pas un dossier',
  EISDIR: 'Est un dossier',
  ENOTEMPTY: 'Le dossier n’est pas vide',
  EROFS: 'Support en lecture seule',
  ENOSPC: 'Plus de place sur le disque',
};

/** What of an error is said to an operator, in French where the words are ours; undefined for what nobody foresaw. */
export function spokenMessage(error: unknown): string | undefined {
  if (spokenTypes.some((type) => error instanceof type)) return (error as Error).message;
  // Every address of a name was tried: what one of them said is enough.
  if (error instanceof AggregateError) return error.errors.map(spokenMessage).find((said) => said !== undefined);
  if (!(error instanceof Error)) return undefined;
  return ofSystem(error) ?? ofServer(error);
}

interface SystemError extends Error {
  code?: string;
  address?: string;
  hostname?: string;
  port?: number;
  path?: string;
}

function ofSystem(error: SystemError): string | undefined {
  const { code = '', address, hostname, port, path } = error;
  if (unanswered.includes(code)) {
    const place = [address ?? hostname, port].filter((part) => part !== undefined).join(':');
    return `Rien ne répond${place ? ` à ${place}` : ''} (${code}). Si c’est la base de données : vérifiez DATABASE_URL, et que PostgreSQL est démarré.`;
  }
  if (notLetIn.includes(code)) return `PostgreSQL refuse : ${error.message} (${code}). Vérifiez DATABASE_URL.`;
  if (Object.hasOwn(files, code) && path !== undefined) return `${files[code]} : ${path}`;
  return code.startsWith('ERR_PARSE_ARGS_') ? error.message : undefined;
}

/** A refusal of the rooms (FhirError), known by its name: its class would load the whole FHIR room for a line of help. */
function ofServer(error: Error): string | undefined {
  const { status, outcome } = error as { status?: number; outcome?: { issue?: { details?: { text?: string } }[] } };
  if (error.name !== 'FhirError' || status === undefined || status >= 500) return undefined;
  return outcome?.issue?.find(({ details }) => details?.text)?.details?.text ?? error.message;
}
