/** Operations, registered by the rooms or built in: https://hl7.org/fhir/R4/operations.html#executing. */
import type { Bundle, Parameters, Resource } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationAnswer } from '../contract.ts';
import { parseJson, stringifyJson } from '../json/index.ts';
import type { RestTransaction } from '../store/contract.ts';
import { validateResource } from '../validation/index.ts';
import type { Answer, Call, Service, WriteInteraction } from './call.ts';
import { versionOfETag } from './conditions.ts';
import { type Subset, subsetOf, subsetParameters, subsetResource } from './subsetting.ts';
import { validateOperations } from './validate.ts';

/** Operation of a URL: the type's own before one offered on every type. */
function findOperation(call: Call, service: Service): Operation | undefined {
  const level = call.id ? 'instance' : call.type ? 'type' : 'system';
  const builtIn = call.type ? validateOperations(call.type) : [];
  const candidates = [...service.store.operations, ...builtIn].filter(
    (operation) => operation.name === call.operation && operation.level === level,
  );
  return (
    candidates.find((operation) => operation.type === call.type) ??
    candidates.find((operation) => operation.type === undefined)
  );
}

/**
 * @param isGet only operations that change nothing are reached by GET.
 */
export function operationInteraction(isGet: boolean): WriteInteraction {
  return {
    access: 'write',
    code: 'operation',
    async run(call, tx, service): Promise<Answer> {
      const operation = findOperation(call, service);
      if (!operation)
        throw new FhirError(404, 'not-supported', `$${call.operation} is not an operation of this address`);
      if (isGet && operation.affectsState)
        throw new FhirError(405, 'not-supported', `$${call.operation} changes state: use POST`);
      // `_summary` and `_elements` are not the operation's affair: they reduce the Bundle it answers.
      const [subsetQuery, query] = operation.readsElements ? ['', call.query] : splitQuery(call.query);
      const subset = subsetOf(new URLSearchParams(subsetQuery), service.searchDefinitions);
      const ifMatch = versionOfETag(call.conditions.ifMatch);
      // What the rules of an operation look at must not depend on who asks; whether it can be asked for at all does.
      const { seesWhole, type } = operation;
      // An entry of a transaction follows others, which may have written.
      const written = tx.changes.length;
      if (seesWhole && type && call.id) await tx.read(type, call.id);
      const result = await operation.run({
        tx: seesWhole ? tx.whole : tx,
        base: call.base,
        query,
        authorize: (request) => service.guards.authorize(call.context, request),
        isAllowed: (request) => service.guards.isAllowed(call.context, request),
        ...(call.prefer.text === undefined ? {} : { prefer: call.prefer.text }),
        ...(call.type ? { type: call.type } : {}),
        ...(call.id ? { id: call.id } : {}),
        ...(isGet ? { parameters: parametersOfQuery(query) } : inputOf(call, query)),
        // Any version will do.
        ...(ifMatch === undefined || ifMatch === '*' ? {} : { ifMatch }),
      });
      // What an operation does can depend on its parameters ($document with persist): thrown, it is undone.
      if (isGet && tx.changes.length > written)
        throw new FhirError(405, 'not-supported', `$${call.operation} changes state when asked like this: use POST`);
      const answer = operationAnswer(result, tx, operation.affectsState);
      return subsetQuery === '' ? answer : reduced(answer, subset, subsetQuery);
    },
  };
}

/**
 * A body that is no Parameters is the one input parameter, `resource`; what the address says counts beside it, or a caller would believe it did.
 * @throws FhirError 400 when Parameters is malformed.
 */
function inputOf(call: Call, query: string): { parameters: Parameters; resource?: Resource } {
  const { body } = call;
  const asked = parametersOfQuery(query);
  if (body === undefined) return { parameters: asked };
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new FhirError(400, 'structure', 'the body must be Parameters or a resource');
  }
  const resource = body as Resource;
  if (resource.resourceType !== 'Parameters') return { parameters: asked, resource };
  // $validate is asked about resources that may be wrong; every other operation gets Parameters it can rely on.
  const issues = call.operation === 'validate' ? [] : validateResource(resource);
  if (issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) throw FhirError.of(400, issues);
  if (!asked.parameter || !Array.isArray(resource.parameter ?? [])) return { parameters: resource };
  return { parameters: { ...resource, parameter: [...(resource.parameter ?? []), ...asked.parameter] } };
}

/** The parts of a query that reduce the answer, and the others. */
function splitQuery(query: string): [subset: string, rest: string] {
  const isSubset = (part: string) => subsetParameters.has(part.split('=')[0]!);
  const parts = query.split('&').filter((part) => part !== '');
  return [parts.filter(isSubset).join('&'), parts.filter((part) => !isSubset(part)).join('&')];
}

/** A searchset with its entries reduced; its links ask for the same. Documents and the like stay whole. */
function reduced(answer: Answer, subset: Subset, subsetQuery: string): Answer {
  const resource = answer.body === undefined ? undefined : (parseJson(answer.body) as Resource);
  if (resource?.resourceType !== 'Bundle' || resource.type !== 'searchset') return answer;
  const bundle: Bundle = {
    ...resource,
    link: resource.link?.map((link) => ({
      ...link,
      url: `${link.url}${link.url?.includes('?') ? '&' : '?'}${subsetQuery}`,
    })),
    entry: resource.entry?.map((entry) =>
      entry.resource && entry.search?.mode !== 'outcome'
        ? { ...entry, resource: subsetResource(entry.resource, subset) }
        : entry,
    ),
  };
  return { ...answer, body: stringifyJson(bundle) };
}

/** A query as Parameters: what an operation asked by GET is given. */
export function parametersOfQuery(query: string): Parameters {
  const parameter = [...new URLSearchParams(query)].map(([name, valueString]) => ({ name, valueString }));
  return { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
}

function operationAnswer(result: Resource | OperationAnswer, tx: RestTransaction, affectsState: boolean): Answer {
  if (!('resourceType' in result)) {
    const { status, headers, content, resource, shown: resources } = result;
    return {
      status,
      ...(headers ? { headers } : {}),
      ...(content ? { content } : {}),
      ...(resource ? { body: stringifyJson(resource) } : {}),
      ...(affectsState && tx.changes.length > 0 && !resources ? {} : { read: { resources: resources ?? [] } }),
    };
  }
  const { resourceType: type, id, meta } = result;
  const written = id ? tx.writtenText(type, id) : undefined;
  return {
    status: 200,
    body: written ?? stringifyJson(result),
    ...(id && meta?.versionId
      ? { version: { type, id, versionId: meta.versionId, updated: new Date(meta.lastUpdated ?? tx.context.now()) } }
      : {}),
    // What the operation wrote is in the trail already; what it only showed is not.
    ...(affectsState && tx.changes.length > 0 ? {} : { read: { resources: shown(result) } }),
  };
}

/** Resources an operation served: those of a Bundle, a stored one; Parameters are nobody's record, the trail then names the target. */
function shown(result: Resource): Resource[] {
  if (result.resourceType === 'Bundle') return (result.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return result.id ? [result] : [];
}
