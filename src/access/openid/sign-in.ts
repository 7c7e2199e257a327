/** From the answer of a provider to what every sign-in ends with. */
import type { Account } from '../accounts.ts';
import { admit, type FederationRooms } from '../federation/admit.ts';
import type { Proven, SignInOrigin, SignInResult } from '../sign-in/complete.ts';
import type { Attempt } from './attempt.ts';
import { parametersOf } from './attempt.ts';
import { grantsOf, identityOf } from './identity.ts';
import { type Proof, type Provider, ProviderRefused } from './provider.ts';
import { spendState } from './spent.ts';

export interface OpenidRooms {
  federation: FederationRooms;
  completeSignIn(proven: Proven): Promise<SignInResult>;
  /** Tells the trail of a sign-in that was refused before there was a proof. */
  refuseSignIn(origin: SignInOrigin, refused: { tenant: string; account?: Account; reason: string }): Promise<void>;
}

export type OpenidResult =
  | { status: 'done'; result: Extract<SignInResult, { secret: string }>; idToken: string }
  | { status: 'refused' };

/**
 * @param answer our redirect address with the query as it arrived.
 * @throws ProviderUnavailable
 */
export async function signInByOpenid(
  rooms: OpenidRooms,
  provider: Provider,
  { attempt, answer, origin }: { attempt: Attempt; answer: URL; origin: SignInOrigin },
): Promise<OpenidResult> {
  const { source } = provider;
  const refuse = async (reason: string, account?: Account): Promise<OpenidResult> => {
    await rooms.refuseSignIn(origin, { tenant: source.tenant, reason, ...(account ? { account } : {}) });
    return { status: 'refused' };
  };
  const parameters = parametersOf(attempt);
  let proof: Proof;
  try {
    proof = await provider.exchange(answer, parameters);
  } catch (error) {
    if (error instanceof ProviderRefused) return refuse(`openid: ${error.message}`);
    throw error;
  }
  // Not before the provider took the code: made-up answers leave no rows.
  const { database, securityClock } = rooms.federation;
  if (!(await spendState(database, parameters.state, securityClock.now()))) return refuse('openid: answer used before');
  const identity = identityOf(proof.claims, source);
  if (!identity) return refuse('openid: nobody is named');
  const admission = await admit(rooms.federation, {
    source: `openid/${source.name}`,
    tenant: source.tenant,
    mayCreate: source.accounts === 'create',
    ...identity,
    ...grantsOf(proof.claims, source),
  });
  if (admission.status === 'refused') return refuse(admission.reason, admission.account);
  const result = await rooms.completeSignIn({
    account: admission.account,
    proofs: ['oidc'],
    strong: source.secondFactor,
    origin,
  });
  return 'secret' in result ? { status: 'done', result, idToken: proof.idToken } : { status: 'refused' };
}
