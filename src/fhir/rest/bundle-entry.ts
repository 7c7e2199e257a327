/** Entries of a batch or transaction as calls, and their answers as entries (https://hl7.org/fhir/R4/http.html#transaction). */
import type { Bundle, BundleEntry, OperationOutcome } from '@medplum/fhirtypes';
import { http } from '../../config/index.ts';
import { FhirError } from '../contract.ts';
import { sentPatch } from '../patch/index.ts';
import type { StoredVersion } from '../store/contract.ts';
import { entryText, fullUrl } from './bundle.ts';
import type { Answer, Call, Interaction, Service } from './call.ts';
import { criteriaOf, criteriaOfWrite, etagOf } from './conditions.ts';
import { interactionName } from './interaction-name.ts';
import { writtenOutcome } from './written.ts';

export interface EntryCall {
  index: number;
  method: string;
  fullUrl?: string;
  call: Call;
  interaction: Interaction;
  /** What a conditional interaction depends on, without a leading `?` or `Type?`. */
  criteria?: string;
  /** What a conditional create found. */
  found?: StoredVersion;
  /** Id of what a conditional patch changes. */
  patched?: string;
}

/** Id of the resource an entry is about, as far as it is known. */
export function idOf({ call, interaction, patched }: EntryCall): string | undefined {
  const own = interaction.code === 'update' ? (call.body as { id?: string } | null | undefined)?.id : undefined;
  return call.id ?? patched ?? own;
}

/** As many as a body can hold. @throws FhirError 400 when the body is no Bundle with entries to run. */
export function entriesOf(call: Call): BundleEntry[] {
  const { entry } = call.body as Bundle;
  if (entry === undefined) return [];
  if (!Array.isArray(entry)) throw new FhirError(400, 'structure', 'must be an array', 'Bundle.entry');
  return entry;
}

/** @throws FhirError naming what is wrong with the entry. */
export function readEntry(entry: unknown, index: number, bundle: Call, service: Service): EntryCall {
  const { request, resource, fullUrl: url } = isObject(entry) ? entry : {};
  const at = `Bundle.entry[${index}].request`;
  if (!isObject(request)) throw new FhirError(400, 'required', 'is required', at);
  requireElements(entry as object, entryElements, `Bundle.entry[${index}]`);
  requireElements(request, requestElements, at);
  const method = request.method;
  if (typeof method !== 'string') throw new FhirError(400, 'required', 'is required', `${at}.method`);
  if (typeof request.url !== 'string') throw new FhirError(400, 'required', 'is required', `${at}.url`);
  const [path, query] = relativeUrl(request.url, bundle.base);
  const { interaction, address } = service.resolve(method === 'HEAD' ? 'GET' : method, path);
  const call: Call = {
    base: bundle.base,
    ...address,
    context: { ...bundle.context, interaction: interactionName(interaction, address) },
    query,
    conditions: {
      ...text('ifMatch', request, at),
      ...text('ifNoneMatch', request, at),
      ...text('ifNoneExist', request, at),
      ...text('ifModifiedSince', request, at),
    },
    prefer: bundle.prefer,
    ...(resource === undefined ? {} : { body: interaction.code === 'patch' ? sentPatch(resource) : resource }),
  };
  const criteria = criteriaOfWrite(call, interaction);
  return {
    index,
    method,
    ...(typeof url === 'string' ? { fullUrl: url } : {}),
    interaction,
    call,
    ...(criteria === undefined ? {} : { criteria: criteriaOf(criteria) }),
  };
}

/** @throws FhirError 400: a condition that cannot be read must not count as none. */
function text<Name extends string>(
  name: Name,
  request: Record<string, unknown>,
  at: string,
): { [Key in Name]?: string } {
  const value = request[name];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw new FhirError(400, 'structure', 'must be a string', `${at}.${name}`);
  return { [name]: value } as { [Key in Name]?: string };
}

const anyElements = ['id', 'extension', 'modifierExtension'];
const entryElements: readonly string[] = [
  ...anyElements,
  ...['link', 'fullUrl', 'resource', 'search', 'request', 'response'],
];
const requestElements: readonly string[] = [
  ...anyElements,
  ...['method', 'url', 'ifMatch', 'ifNoneMatch', 'ifNoneExist', 'ifModifiedSince'],
];

/** @throws FhirError 400 for a name that means nothing: a condition spelt otherwise would be lost. */
function requireElements(object: object, names: readonly string[], at: string): void {
  if (Object.keys(object).some((name) => !names.includes(name.replace(/^_/, ''))))
    throw new FhirError(400, 'structure', `has an element other than ${names.join(', ')}`, at);
}

/** Urls in a Bundle are relative to the base; the base itself is tolerated in front. */
function relativeUrl(url: string, base: string): [path: string, query: string] {
  const relative = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url.replace(/^\//, '');
  const mark = relative.indexOf('?');
  return mark === -1 ? [relative, ''] : [relative.slice(0, mark), relative.slice(mark + 1)];
}

/** What came of an entry. What was written is shown only when `Prefer` asks for it. */
export function answeredEntry(answer: Answer, { call, method }: EntryCall): string {
  const { status, body, version, isWrite } = answer;
  const { return: wanted } = call.prefer;
  const isShown = method !== 'HEAD' && (!isWrite || wanted === 'representation');
  return entryText({
    ...(version ? { fullUrl: fullUrl(call.base, version) } : {}),
    ...(body && isShown ? { resource: body } : {}),
    response: {
      status: statusText(status),
      ...(version && isWrite ? { location: `${fullUrl(call.base, version)}/_history/${version.versionId}` } : {}),
      ...(version ? { etag: etagOf(version.versionId), lastModified: version.updated.toISOString() } : {}),
      ...(isWrite && wanted === 'OperationOutcome' ? { outcome: writtenOutcome(status) } : {}),
    },
  });
}

export function failedEntry(status: number, outcome: OperationOutcome): string {
  return entryText({ response: { status: statusText(status), outcome } });
}

function statusText(status: number): string {
  return `${status} ${http.STATUS_CODES[status] ?? ''}`.trim();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
