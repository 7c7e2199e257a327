/** Who asks for the administration: the session of a person with the role, and nobody by a token. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FhirError } from '../../fhir/index.ts';
import type { Access } from '../access.ts';
import { answer, answerError } from '../answer-error.ts';
import { type Caller, callerOf } from '../own-account/caller.ts';
import { told } from './rules.ts';

/** @throws FhirError 401, 403; a refusal is in the trail. */
export async function callerWith(access: Access, request: FastifyRequest, roles: readonly string[]): Promise<Caller> {
  const caller = await callerOf(access, request);
  const context = { ...caller.context, interaction: 'administration' };
  if (!caller.account.roles.some((role) => roles.includes(role))) {
    await access.accountRooms.trail.refused(context, { interaction: 'administration' });
    throw told(403, 'forbidden', 'Action réservée aux administrateurs.');
  }
  return { ...caller, context };
}

/** A request that cannot be done as it is: said to the person, who can change it. */
export function answerAdministrationError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof FhirError && error.status === 422) {
    const said = error.outcome.issue[0]?.details?.text ?? 'La demande n’a pas la forme attendue.';
    return answer(reply, 422, 'invalid', said);
  }
  return answerError(error, request, reply);
}
