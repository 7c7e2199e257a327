/** Errors that say all a person needs: what is wrong and what to do, in a sentence. Any other is a fault of ours and keeps its stack. */
import { ConfigError } from '../config/index.ts';
import { DatabaseAway, EmbeddedPostgresError, MigrationError } from '../db/index.ts';
import { CommandError } from './command-error.ts';

const spokenTypes = [CommandError, ConfigError, EmbeddedPostgresError, MigrationError];
/** The same of other rooms, known by their names: their classes would load a whole room for a line of help. */
const spokenNames: readonly string[] = ['VaultError', 'LoadError', 'RegistrationError'];

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
  if (isSpoken(error)) return error.message;
  // Every address of a name was tried: what one of them said is enough.
  if (error instanceof AggregateError) return error.errors.map(spokenMessage).find((said) => said !== undefined);
  if (error instanceof DatabaseAway) return spokenMessage(error.cause);
  if (!(error instanceof Error)) return undefined;
  return ofSystem(error) ?? ofArguments(error) ?? ofServer(error);
}

function isSpoken(error: unknown): error is Error {
  return (
    error instanceof Error && (spokenTypes.some((type) => error instanceof type) || spokenNames.includes(error.name))
  );
}

interface SystemError extends Error {
  code?: string;
  address?: string;
  hostname?: string;
  port?: number;
  path?: string;
  syscall?: string;
}

function ofSystem(error: SystemError): string | undefined {
  const { code = '', address, hostname, port, path, syscall } = error;
  if (syscall === 'listen') return ofListening(code, [address, port].filter((part) => part !== undefined).join(':'));
  if (unanswered.includes(code)) {
    const place = [address ?? hostname, port].filter((part) => part !== undefined).join(':');
    return `Rien ne répond${place ? ` à ${place}` : ''} (${code}). Si c’est la base de données : vérifiez DATABASE_URL, et que PostgreSQL est démarré.`;
  }
  if (notLetIn.includes(code)) return `PostgreSQL refuse : ${error.message} (${code}). Vérifiez DATABASE_URL.`;
  if (Object.hasOwn(files, code) && path !== undefined) return `${files[code]} : ${path}`;
  if (code.startsWith('ERR_OSSL_'))
    return `Certificat ou clé illisible (${code}) : vérifiez TLS_CERT, TLS_KEY et TLS_CLIENT_CA.`;
  return undefined;
}

/** A port cannot be had. */
function ofListening(code: string, place: string): string {
  if (code === 'EADDRINUSE')
    return `Le port ${place} est déjà pris : arrêtez ce qui l’occupe, ou donnez-en un autre (PORT, MLLP_PORT, MLLPS_PORT, DIMSE_PORT, DIMSES_PORT).`;
  if (code === 'EADDRNOTAVAIL') return `Cette machine n’a pas l’adresse ${place} : vérifiez HOST.`;
  if (code === 'EACCES')
    return `Ce compte ne peut pas écouter à ${place} : donnez un port à partir de 1024, ou le droit d’écouter plus bas.`;
  return `Impossible d’écouter à ${place} (${code}) : vérifiez HOST et les ports.`;
}

/** What `node:util` says of arguments; the usage of the command stands below it. */
function ofArguments({ message, code = '' }: SystemError): string | undefined {
  if (!code.startsWith('ERR_PARSE_ARGS_')) return undefined;
  const named = /'([^']*)'/.exec(message)?.[1]?.replace(' <value>', '') ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `Option inconnue : ${named}`;
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return `De trop : ${named}`;
  return message.includes('does not take')
    ? `L’option ${named} ne prend pas de valeur.`
    : `Il manque la valeur de l’option ${named}.`;
}

/** A refusal of the rooms (FhirError), known by its name: its class would load the whole FHIR room for a line of help. */
function ofServer(error: Error): string | undefined {
  const { status, outcome } = error as { status?: number; outcome?: { issue?: { details?: { text?: string } }[] } };
  if (error.name !== 'FhirError' || status === undefined || status >= 500) return undefined;
  const told = outcome?.issue?.find(({ details }) => details?.text)?.details?.text;
  if (told) return told;
  if (status !== 404 && status !== 410) return `Refusé (${status}) : ${error.message}`;
  return `Introuvable : ${/[A-Z][A-Za-z]+\/[A-Za-z0-9.-]+/.exec(error.message)?.[0] ?? error.message}`;
}
