/** Runs one interaction: permission first, audit before the answer leaves (docs/fhir.md, "Guards and audit"). */
import { FhirError, type ReadAccess } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { withRetries } from './attempts.ts';
import type { Answer, Call, Interaction, Service } from './call.ts';
import { aboutIfNoneExist, criteriaOfWrite, withoutAddress } from './conditions.ts';
import { authorizeSearch } from './search-reach.ts';
import { searchedAddress } from './searched-address.ts';

/** @throws FhirError, and whatever went wrong below; a refused or failed attempt is in the audit trail by then. */
export function execute(call: Call, interaction: Interaction, service: Service): Promise<Answer> {
  if (interaction.access === 'system' && interaction.isPublic) return interaction.run(call, service);
  return audited(call, interaction, service, async () => {
    const looking = service.store.parametersKnown(call.context.tenant);
    if (looking) await looking;
    authorize(call, interaction, service);
    // What an operation did outside the database is not undone.
    const run: typeof withRetries = interaction.code === 'operation' ? (work) => work() : withRetries;
    switch (interaction.access) {
      case 'read':
        return await interaction.run(call, service.store.reads(call.context.tenant, call.context), service);
      case 'write':
        return await run(() => service.store.restTransaction(call.context, (tx) => interaction.run(call, tx, service)));
      case 'system':
        return await interaction.run(call, service);
    }
  });
}

/**
 * Runs an entry inside the transaction of its Bundle, permission given already. What it reads is audited by the Bundle after
 * the commit: the trail must not say that something was shown which was rolled back.
 */
export function executeWithin(
  call: Call,
  interaction: Interaction,
  tx: RestTransaction,
  service: Service,
): Promise<Answer> {
  if (interaction.access === 'system')
    throw new FhirError(400, 'not-supported', 'this cannot be an entry of a transaction');
  return interaction.run(call, tx, service);
}

/** @throws FhirError 403. */
export function authorize(call: Call, interaction: Interaction, service: Service): void {
  const asksByType = interaction.access === 'read' && interaction.asksByType;
  if (!asksByType)
    service.guards.authorize(call.context, {
      interaction: interaction.code,
      ...(call.type ? { type: call.type } : {}),
      ...(call.id ? { id: call.id } : {}),
      ...(call.operation ? { operation: call.operation } : {}),
    });
  // A condition is a search: its answer tells whether something matches.
  const criteria = criteriaOfWrite(call, interaction);
  if (criteria === undefined || !call.type) return;
  try {
    authorizeSearch(call.context, call.type, withoutAddress(criteria), service);
  } catch (error) {
    if (interaction.code === 'create') aboutIfNoneExist(error);
    throw error;
  }
}

async function audited(
  call: Call,
  interaction: Interaction,
  { guards }: Service,
  work: () => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    const status = error instanceof FhirError ? error.status : undefined;
    const refused = status === 403;
    // A failed write changed nothing and showed nothing, except that a condition tells how many match (412); a refused one is
    // somebody trying a door, or an act that a rule of the domain does not allow now (WF-1: refused and traced).
    const rule = ruleThatRefused(error);
    if (refused || status === 412 || rule !== undefined || interaction.access === 'read') {
      await guards.auditRead(call.context, {
        ...attempted(call, interaction),
        outcome: refused ? 'refused' : 'failed',
        ...(rule === undefined ? {} : { reason: rule }),
      });
    }
    throw error;
  }
  if (answer.read)
    await guards.auditRead(call.context, { ...attempted(call, interaction), ...answer.read, outcome: 'success' });
  return answer;
}

/** Code of the named rule by which a room refused, e.g. a guard of the case machine; undefined for any other failure. */
function ruleThatRefused(error: unknown): string | undefined {
  return error instanceof FhirError ? error.outcome.issue[0]?.details?.coding?.[0]?.code : undefined;
}

/** What was asked for, when nothing of it could be served. */
function attempted(call: Call, interaction: Interaction): Pick<ReadAccess, 'resources' | 'query' | 'target'> {
  const { type, id, compartment } = call;
  const address = compartment ? searchedAddress(call) : [type, id].filter(Boolean).join('/');
  const criteria = criteriaOfWrite(call, interaction);
  const query = criteria === undefined ? call.query : withoutAddress(criteria);
  return {
    resources: [],
    ...(type ? { target: { type, ...(id ? { id } : {}) } } : {}),
    ...(query ? { query: `${address}?${query}` } : {}),
  };
}
