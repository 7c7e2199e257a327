/**
 * `$reindex`: search values of what is stored are computed anew, after a new SearchParameter or for certainty. Not in the standard; asked
 * for as other servers have it. `POST [base]/$reindex` or `[base]/[type]/$reindex` answers 202 and where to ask how far it is.
 */
import type { Parameters, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationAnswer, type OperationCall, parameterNamed } from '../contract.ts';
import { findReindexJob, insertReindexJob } from './jobs.ts';
import type { TenantParameters } from './own-parameters.ts';

export interface ReindexOperationsOptions {
  parametersOf(tenant: string): Promise<TenantParameters>;
  /** Types the tenant has anything of that the application may rewrite. */
  typesInUse(call: OperationCall): Promise<readonly string[]>;
  isType(name: string): boolean;
  /** Part `program` of the index, with its hash. */
  program: Readonly<Record<string, string>>;
  wake(): void;
}

export function reindexOperations(options: ReindexOperationsOptions): Operation[] {
  const start = (call: OperationCall) => startReindex(options, call);
  return [
    { name: 'reindex', level: 'system', affectsState: true, run: start },
    { name: 'reindex', level: 'type', affectsState: true, run: start },
    { name: 'reindex-status', level: 'system', affectsState: false, run: reindexStatus },
  ];
}

async function startReindex(options: ReindexOperationsOptions, call: OperationCall): Promise<OperationAnswer> {
  const { tx, base } = call;
  const { tenant } = tx.context;
  const asked = call.type ? [call.type] : askedTypes(call, options.isType);
  const inUse = await options.typesInUse(call);
  const types = asked.length > 0 ? inUse.filter((type) => asked.includes(type)) : inUse;
  const { own, unused } = await options.parametersOf(tenant);
  const covered = own.filter(({ bases }) => asked.length === 0 || bases.every((type) => asked.includes(type)));
  const makes = {
    ...(asked.length === 0 ? options.program : {}),
    ...Object.fromEntries(covered.map(({ id, hash }) => [id, hash])),
  };
  const id = await insertReindexJob(tx.sql, tenant, { now: tx.context.now(), types, makes });
  tx.afterCommit(options.wake);
  return {
    status: 202,
    headers: { 'Content-Location': `${base}/$reindex-status?job=${id}` },
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'job', valueId: id },
        ...types.map((type) => ({ name: 'type', valueCode: type })),
        ...covered.map((parameter) => ({
          name: 'searchParameter',
          valueReference: { reference: `SearchParameter/${parameter.id}` },
        })),
        ...unused.map(({ id: unusedId, reason }) => ({
          name: 'unused',
          part: [
            { name: 'searchParameter', valueReference: { reference: `SearchParameter/${unusedId}` } },
            { name: 'reason', valueString: reason },
          ],
        })),
      ],
    },
  };
}

/** @throws FhirError 400 for what is no resource type. */
function askedTypes({ parameters }: OperationCall, isType: (name: string) => boolean): string[] {
  const named = (parameters.parameter ?? [])
    .filter(({ name }) => name === 'type')
    .flatMap(({ valueCode, valueString }) => (valueCode ?? valueString ?? '').split(','));
  const unknown = named.find((type) => !isType(type));
  if (unknown === undefined) return named;
  throw new FhirError(400, 'invalid', 'type names no resource type', parameterNamed('type'));
}

async function reindexStatus({ tx, parameters }: OperationCall): Promise<OperationAnswer> {
  const given = parameters.parameter?.find(({ name }) => name === 'job');
  const id = given?.valueString ?? given?.valueId;
  if (!id) throw new FhirError(400, 'required', 'the parameter job is required', parameterNamed('job'));
  const job = await findReindexJob(tx.sql, tx.context.tenant, id);
  if (!job) throw new FhirError(404, 'not-found', 'no such job');
  const resource: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'job', valueId: id },
      { name: 'status', valueCode: job.finished ? 'completed' : 'in-progress' },
      { name: 'requested', valueInstant: job.requested.toISOString() },
      ...(job.finished ? [{ name: 'finished', valueInstant: job.finished.toISOString() }] : []),
      { name: 'seen', valueInteger: job.seen },
      ...job.types.map((type) => ({ name: 'remaining', valueCode: type as ResourceType })),
    ],
  };
  return {
    status: job.finished ? 200 : 202,
    ...(job.finished ? {} : { headers: { 'Retry-After': '5', 'X-Progress': `${job.seen} resources` } }),
    resource,
  };
}
