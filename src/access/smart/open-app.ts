/** `/oauth2/launch`: our pages list the apps they can open, and open one with what the person looks at (SMART App Launch 2.2 §EHR launch). */
import type { Resource } from '@medplum/fhirtypes';
import type { FastifyRequest } from 'fastify';
import { platformTenant } from '../../db/index.ts';
import { FhirError } from '../../fhir/index.ts';
import { servesTenant } from './authorization-request.ts';
import { findClient, listClients } from './client.ts';
import { type Form, required } from './form.ts';
import { readLaunchContext, storeLaunch } from './launch.ts';
import { OAuthError } from './oauth-error.ts';
import { contextOf, type Person } from './person.ts';
import { fhirUrlOf, type OAuthService } from './service.ts';
import type { LaunchContext } from './tokens.ts';

/** Apps of the person's tenant and of the platform that can be opened from a page, by name. @throws FhirError 401. */
export async function openableApps(
  { guards, database }: OAuthService,
  request: FastifyRequest,
): Promise<{ applications: { id: string; name: string }[] }> {
  const { tenant } = await guards.authenticate(request);
  const tenants = new Set([tenant, platformTenant]);
  const clients = (await Promise.all([...tenants].map((each) => listClients(database, each)))).flat();
  const applications = clients
    .filter(({ disabled, launchUri }) => !disabled && launchUri !== undefined)
    .map(({ id, display }) => ({ id, name: display }))
    .sort((one, other) => one.name.localeCompare(other.name, 'fr'));
  return { applications };
}

/** @throws FhirError 401, 403; OAuthError invalid_request. */
export async function openApp(
  service: OAuthService,
  request: FastifyRequest,
  form: Form,
): Promise<{ launch: string; url: string }> {
  const { guards, database, clock, baseUrl } = service;
  const person = await guards.authenticate(request);
  const { tenant, actor } = person;
  if (actor.kind !== 'person' || actor.scopes !== undefined) {
    throw new OAuthError('invalid_request', 'Only a person opens an app');
  }
  const client = await findClient(database, required(form, 'client_id'));
  if (!client || client.disabled || !client.launchUri || !servesTenant(client, tenant)) {
    throw new OAuthError('invalid_request', 'There is no such app to open');
  }
  const context = await seenContext(service, request, person, readLaunchContext(form));
  const launch = await storeLaunch(
    database,
    { tenant, clientId: client.id, login: actor.account, context },
    clock.now(),
  );
  const url = new URL(client.launchUri);
  url.searchParams.set('iss', fhirUrlOf(baseUrl()));
  url.searchParams.set('launch', launch);
  return { launch, url: url.toString() };
}

/** The same, as far as this person sees it; a case names its patient. */
async function seenContext(
  { guards, store, now }: OAuthService,
  request: FastifyRequest,
  person: Person,
  asked: LaunchContext,
): Promise<LaunchContext> {
  const { task, patient } = asked;
  const context = contextOf(request, person, 'read', now);
  const resources: Resource[] = [];
  const target = { type: task === undefined ? 'Patient' : 'Task', id: task ?? patient ?? '' };
  try {
    const seen = await store.transaction(context, async (tx) => {
      const found = { ...asked };
      if (task !== undefined) {
        guards.authorize(context, { interaction: 'read', type: 'Task', id: task });
        const read = await tx.read('Task', task);
        resources.push(read);
        const subject = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(read.for?.reference ?? '')?.[1];
        if (subject !== undefined && patient !== undefined && subject !== patient) {
          throw new OAuthError('invalid_request', 'The case is about another patient');
        }
        if (subject !== undefined) found.patient = subject;
      }
      if (found.patient !== undefined) {
        guards.authorize(context, { interaction: 'read', type: 'Patient', id: found.patient });
        resources.push(await tx.read('Patient', found.patient));
      }
      return found;
    });
    if (resources.length > 0) await guards.auditRead(context, { resources, target, outcome: 'success' });
    return seen;
  } catch (error) {
    if (error instanceof FhirError && (error.status === 404 || error.status === 410)) {
      await guards.auditRead(context, { resources: [], target, outcome: 'failed' });
      throw new OAuthError('invalid_request', 'There is no such case or patient for this person');
    }
    throw error;
  }
}
