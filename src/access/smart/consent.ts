/**
 * `GET` and `POST /oauth2/consent`: the person signs in where needed, sees who asks for what, and decides. Everything of the request is
 * read and checked again at each step: nothing is kept for strangers.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FhirError } from '../../fhir/index.ts';
import { refuseForeignOrigin } from '../request-origin.ts';
import {
  type AuthorizationRequest,
  answerAddress,
  isAboutOnePatient,
  type ReturnAddress,
  servesTenant,
} from './authorization-request.ts';
import { authorizeInteraction, readRequest, sendBack } from './authorize.ts';
import { type ConsentPage, type PatientLine, sendConsentPage } from './consent-page.ts';
import { type Form, readForm, required } from './form.ts';
import { storeConsent } from './grants.ts';
import { endLaunch, findLaunch } from './launch.ts';
import { OAuthError } from './oauth-error.ts';
import { sendPage } from './page.ts';
import { consentProof, contextOf, type Person, personOf, signedInAt } from './person.ts';
import { writeScope } from './scopes.ts';
import type { OAuthService } from './service.ts';
import type { LaunchContext } from './tokens.ts';

const patientsShown = 20;

/** Everything both steps need. */
interface Step {
  address: ReturnAddress;
  wanted: AuthorizationRequest;
  person: Person;
  /** From our pages; empty for an app that was opened by itself. */
  launch: LaunchContext;
  /** The request without what the person added to it. */
  query: string;
}

export async function showConsent(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  form: Form,
): Promise<FastifyReply> {
  const searched = form.get('search') ?? '';
  const step = await enter(service, request, reply, withoutSearch(form));
  if (!step) return reply;
  const { wanted, person, query } = step;
  const patient = await patientPart(service, request, step, searched);
  return sendConsentPage(reply, {
    ...{ request: wanted, query, actor: person.actor },
    proof: consentProof(request, query, service.secure),
    ...(patient ? { patient } : {}),
  });
}

export async function decide(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  decision: Form,
): Promise<FastifyReply> {
  refuseForeignOrigin(request, new URL(service.baseUrl()).origin);
  const query = required(decision, 'request');
  const step = await enter(service, request, reply, readForm(query));
  if (!step) return reply;
  const { address, wanted, person } = step;
  if (decision.get('proof') !== consentProof(request, step.query, service.secure)) {
    return sendPage(reply, 403, {
      title: 'Page expirée',
      body: '<p>Recommencez depuis l’application : cette page n’est plus celle de votre session.</p>',
    });
  }
  if (decision.get('decision') !== 'accept') {
    return sendBack(service, request, reply, address, new OAuthError('access_denied', 'The person refused'));
  }
  const launch = await chosenContext(service, request, step, decision.get('patient'));
  if (wanted.launch !== undefined && !(await endLaunch(service.database, wanted.launch, person.tenant))) {
    return sendBack(service, request, reply, address, new OAuthError('invalid_request', 'The launch was used before'));
  }
  return agree(service, request, reply, step, launch);
}

/** Keeps the consent, tells the trail, and gives the app its code. */
async function agree(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  { address, wanted, person }: Step,
  launch: LaunchContext,
): Promise<FastifyReply> {
  const { database, clock, trail, baseUrl } = service;
  const { tenant, actor } = person;
  const scopes = wanted.scopes.map(writeScope);
  const { client, redirectUri, codeChallenge, nonce } = wanted;
  const code = await storeConsent(
    database,
    {
      ...{ tenant, clientId: client.id, login: actor.account, scopes, launch, redirectUri, codeChallenge },
      ...(nonce === undefined ? {} : { nonce }),
      authenticatedAt: await signedInAt(service, request, tenant),
    },
    clock.now(),
  );
  await trail.tell(request, {
    ...{ kind: 'token-issue', interaction: authorizeInteraction, outcome: 'success' },
    ...{ tenant, actor, clientId: client.id, scopes },
  });
  return reply.redirect(answerAddress(address, baseUrl(), { code }), 303);
}

/** Reads the request and the person; undefined when the answer was sent. */
async function enter(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  form: Form,
): Promise<Step | undefined> {
  const read = await readRequest(service, request, reply, form);
  if (!read) return undefined;
  const { address, wanted } = read;
  const query = new URLSearchParams([...form]).toString();
  const person = await personOf(request, service.guards.authenticate);
  if (!person) {
    // Our sign-in page comes back here.
    reply.redirect(`/autorisation?${new URLSearchParams({ suite: `/oauth2/consent?${query}` })}`, 303);
    return undefined;
  }
  const refuse = async (reason: string) => {
    await sendBack(service, request, reply, address, new OAuthError('access_denied', 'Not for this person', reason));
    return undefined;
  };
  if (!servesTenant(wanted.client, person.tenant)) return refuse('the app is of another tenant');
  const whose = { tenant: person.tenant, clientId: wanted.client.id, login: person.actor.account };
  const launch =
    wanted.launch === undefined ? {} : await findLaunch(service.database, wanted.launch, whose, service.clock.now());
  if (!launch) return refuse('the launch is unknown, of another person or app, or too old');
  return { address, wanted, person, launch, query };
}

/** Whom the app will work on, for the page. */
async function patientPart(
  service: OAuthService,
  request: FastifyRequest,
  { wanted, person, launch }: Step,
  searched: string,
): Promise<ConsentPage['patient']> {
  if (launch.patient !== undefined) {
    return { chosen: patientLine(await readPatient(service, request, person, launch.patient)) };
  }
  if (!isAboutOnePatient(wanted.scopes)) return undefined;
  if (searched.trim().length < 2) return { searched: '', found: [] };
  const context = contextOf(request, person, 'search-type', service.now);
  service.guards.authorize(context, { interaction: 'search-type', type: 'Patient' });
  const query = `name=${encodeURIComponent(
    searched
      .trim()
      .slice(0, 100)
      .replace(/[\\$,|]/g, '\\$&'),
  )}&_count=${patientsShown}`;
  const found = await service.store.transaction(context, (tx) => tx.search('Patient', query));
  await service.guards.auditRead(context, { resources: found, query, outcome: 'success' });
  return { searched, found: found.map(patientLine) };
}

/** @throws OAuthError when the app needs a patient and nobody was chosen. */
async function chosenContext(
  service: OAuthService,
  request: FastifyRequest,
  { wanted, person, launch }: Step,
  chosen: string | undefined,
): Promise<LaunchContext> {
  if (launch.patient !== undefined || !isAboutOnePatient(wanted.scopes)) return launch;
  if (chosen === undefined) throw new OAuthError('invalid_request', 'Choose a patient');
  const { id } = await readPatient(service, request, person, chosen);
  return { ...launch, ...(id === undefined ? {} : { patient: id }) };
}

/** A patient this person sees. @throws OAuthError when there is none. */
async function readPatient(
  service: OAuthService,
  request: FastifyRequest,
  person: Person,
  id: string,
): Promise<Patient> {
  const context = contextOf(request, person, 'read', service.now);
  try {
    service.guards.authorize(context, { interaction: 'read', type: 'Patient', id });
    const patient = await service.store.transaction(context, (tx) => tx.read('Patient', id));
    await service.guards.auditRead(context, { resources: [patient], outcome: 'success' });
    return patient;
  } catch (error) {
    if (!(error instanceof FhirError) || error.status >= 500) throw error;
    throw new OAuthError('invalid_request', 'There is no such patient for this person');
  }
}

function patientLine({ id = '', name = [], birthDate }: Patient): PatientLine {
  const [first] = name;
  const words = [first?.family, ...(first?.given ?? [])].filter(Boolean).join(' ');
  return { id, name: first?.text ?? (words || 'sans nom'), ...(birthDate === undefined ? {} : { birthDate }) };
}

function withoutSearch(form: Form): Form {
  return new Map([...form].filter(([name]) => name !== 'search'));
}
