/** What subscriptions need of the other rooms: ports that the composition of the server plugs. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { Context, Sight } from '../contract.ts';

/**
 * Compiles search criteria into a judgement over one resource.
 * @param query in FHIR search syntax, without `?`; empty matches every resource of the type.
 * @throws FhirError for criteria that cannot be judged without the database.
 */
export type CreateMatcher = (type: ResourceType, query: string) => (resource: Resource) => boolean;

export type OwnerIdentity = Pick<Context, 'actor' | 'establishments' | keyof Sight>;

/** Whose rights a notification is held to. */
export interface Owners {
  /** The account as it is now and what it sees; undefined when it is gone or shut off. */
  identityOf(tenant: string, account: string): Promise<OwnerIdentity | undefined>;
}

/** Which of these names of sessions and tokens (`Context.credential`) still stand. */
export type Standing = (credentials: readonly string[]) => Promise<ReadonlySet<string>>;

/** A message without medical content. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** Stable over retries. */
  messageId: string;
}

/** Brings a message to the mail server; rejects with an error whose `code` or `responseCode` says why. */
export interface Mailer {
  send(mail: Mail): Promise<unknown>;
}

/** Where notifications may go. */
export interface EndpointRules {
  /**
   * Hosts inside private networks that may be reached, as in SUBSCRIPTION_HOSTS: a name, `*.domain`, an address or a network
   * (`10.2.0.0/16`), each with `:port` when only that port is meant, and after `tenant=` when only that tenant may.
   */
  allowed: readonly string[];
  /** `http://` to this machine itself, for demonstrations. */
  loopbackHttp: boolean;
  /** Certificates trusted beside the system's (PEM). */
  ca?: readonly string[];
}

/** The part of a pino logger used here. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
