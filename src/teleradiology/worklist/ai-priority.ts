/**
 * Priority given by an AI: a preliminary `Observation` of a `Device`, derived from the ImagingStudy (docs/worklist.md). It raises a case
 * that is not urgent, within the weight its establishment allows, and does nothing else.
 */
import type { Observation } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { hasCode, identifierSystem, passerelle } from '../codes.ts';
import { type CaseTask, idOf, outputsOf } from '../shell/case-task.ts';

const observationCodeSystem = `${passerelle}/CodeSystem/observation-code`;
const aiPriorityCode = 'ai-priority';

/** Studies of a case that are asked about. */
const studiesAtMost = 20;

/** 0 to 100; undefined for what is no such observation. */
function aiPriorityOf(observation: Observation): number | undefined {
  if (!isAiPriority(observation) || observation.status !== 'preliminary') return undefined;
  if (idOf(observation.device, 'Device') === undefined) return undefined;
  const { valueQuantity, valueInteger } = observation;
  const value = valueInteger ?? (valueQuantity?.code === '%' ? valueQuantity.value : undefined);
  return value === undefined || !Number.isFinite(value) ? undefined : Math.round(Math.min(100, Math.max(0, value)));
}

export function isAiPriority(observation: Observation): boolean {
  return hasCode(observation.code, observationCodeSystem, aiPriorityCode);
}

export function studiesOf(observation: Observation): string[] {
  return (observation.derivedFrom ?? []).flatMap((reference) => idOf(reference, 'ImagingStudy') ?? []);
}

/** The highest score of a case's studies: no device lowers what another one says. */
export async function aiScoreOf(tx: FhirTransaction, task: CaseTask): Promise<number> {
  const studies = outputsOf(task, 'imaging-study')
    .flatMap((each) => idOf(each.valueReference, 'ImagingStudy') ?? [])
    .slice(0, studiesAtMost);
  if (studies.length === 0) return 0;
  const code = encodeURIComponent(`${observationCodeSystem}|${aiPriorityCode}`);
  const from = studies.map((id) => `ImagingStudy/${id}`).join(',');
  const observations = await tx.search('Observation', `derived-from=${from}&code=${code}`);
  return Math.max(0, ...observations.map((each) => aiPriorityOf(each) ?? 0));
}

/** Cases to which a study belongs. */
export async function casesOfStudy(tx: FhirTransaction, studyId: string): Promise<string[]> {
  const study = await tx.find('ImagingStudy', studyId);
  const uids = (study?.identifier ?? []).flatMap(({ system, value }) =>
    system === identifierSystem.study && value !== undefined ? [value.replace(/^urn:oid:/, '')] : [],
  );
  if (uids.length === 0) return [];
  const { rows } = await tx.sql.query<{ case_id: string }>(
    `SELECT case_id FROM study_link WHERE tenant = $1 AND study_uid = ANY ($2) AND state = 'attached'`,
    [tx.context.tenant, uids],
  );
  return rows.map((row) => row.case_id);
}
