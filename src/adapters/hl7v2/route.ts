/** Which flow a message is: MSH-9 first, then ORC-1, and OBR-4 must agree. */
import { familyOf, type Header } from './acknowledgement.ts';
import { Refusal } from './refusal.ts';
import type { Flow, Tables } from './tables.ts';
import { location, type OrderGroup } from './translation.ts';

/**
 * Checks of the header that need no body: version, processing mode, type and event of a family we take.
 * @throws Refusal naming the element.
 */
export function checkHeader(header: Header, tables: Tables): void {
  if (header.type === '') throw new Refusal('field-missing', 'MSH^1^9', { path: 'MSH-9', name: 'type du message' });
  if (header.controlId === '')
    throw new Refusal('field-missing', 'MSH^1^10', { path: 'MSH-10', name: 'identifiant du message' });
  const candidates = candidatesOf(header, tables);
  // Without the component separator, which would have to be escaped in ERR-8: people read it.
  const type = [header.type, header.event].filter((part) => part !== '').join(' ');
  const family = familyOf(header, tables);
  if (candidates.length === 0) {
    throw new Refusal('unsupported-type', 'MSH^1^9', { type, family: family?.name ?? 'famille inconnue' });
  }
  if (!candidates.some((flow) => flow.event === header.event))
    throw new Refusal('unsupported-event', 'MSH^1^9', { type });
  if (header.version === '') throw new Refusal('field-missing', 'MSH^1^12', { path: 'MSH-12', name: 'version HL7' });
  if (!tables.flows.acceptedVersions.includes(header.version)) {
    throw new Refusal('unsupported-version', 'MSH^1^12', { expected: tables.flows.acceptedVersions.join(', ') });
  }
  if (!tables.flows.acceptedProcessing.includes(header.processingId))
    throw new Refusal('unsupported-processing', 'MSH^1^11');
}

/** The flow of a message whose header was checked. @throws Refusal when ORC-1 or OBR-4 contradict it. */
export function flowOf(header: Header, groups: readonly OrderGroup[], tables: Tables): Flow {
  const candidates = candidatesOf(header, tables).filter((flow) => flow.event === header.event);
  const orc = groups[0]?.first('ORC');
  if (!orc)
    throw new Refusal('segment-missing', 'ORC^1', {
      path: 'ORC',
      name: 'ordre',
      flow: candidates[0]?.name ?? header.type,
    });
  const control = orc.value(1);
  if (control === undefined)
    throw new Refusal('field-missing', location(orc, 1), { path: 'ORC-1', name: 'code de contrôle de l’ordre' });
  const flow = candidates.find((candidate) => candidate.orderControl.includes(control));
  if (!flow) {
    const expected = `${candidates.flatMap((candidate) => candidate.orderControl).join(', ')} attendu`;
    throw new Refusal('bad-code', location(orc, 1), { path: 'ORC-1', name: 'code de contrôle de l’ordre', expected });
  }
  for (const group of groups) {
    const own = group.first('ORC');
    if (own && !flow.orderControl.includes(own.value(1) ?? '')) {
      throw new Refusal('incoherent', location(own, 1), { reason: 'ORC-1 diffère d’un groupe à l’autre' });
    }
    const obr = group.first('OBR');
    const procedure = obr?.value(4);
    if (obr && procedure !== undefined && procedure !== flow.procedure) {
      throw new Refusal('incoherent', location(obr, 4), {
        reason: `OBR-4 doit être ${flow.procedure} quand ORC-1 est ${control}`,
      });
    }
  }
  return flow;
}

/** ORU is shared: with the profile of the CDA volume it belongs to another family. */
function candidatesOf(header: Header, tables: Tables): Flow[] {
  if (familyOf(header, tables)?.profile !== undefined) return [];
  return tables.flows.flows.filter((flow) => flow.type === header.type);
}
