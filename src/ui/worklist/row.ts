/** One line of the worklist, out of the search's resources. */
import type { Bundle, Patient, Task } from '@medplum/fhirtypes';
import { type CaseFacts, caseFacts, itemOf } from '../case/case-facts.ts';
import { type Exam, examOf } from '../case/exam.ts';
import { byTenant, found } from '../fhir/bundle.ts';
import { ageText } from '../time/format.ts';
import { caseStatusName } from '../words/case-status.ts';
import { sexLetter } from '../words/labels.ts';
import { hiddenPatient, organizationName, patientIdentity, practitionerName } from '../words/people.ts';
import { plain } from '../words/plain.ts';
import { placeOf, type WorklistPlace } from './place.ts';

export interface WorklistRow {
  /** The case's id; behind the name of its tenant when that is not the person's own. As in its address, `/dossier/[id]`. */
  id: string;
  facts: CaseFacts;
  stateName: string;
  hospital: string;
  patient: string;
  /** `F · 67 ans`. */
  sexAndAge: string;
  exam: Exam;
  owner: string | undefined;
  /** The radiologist whom the coordinator wants, while nobody reads. */
  assigned: string | undefined;
  /** Of a case the server ranked. */
  place: WorklistPlace | undefined;
  /** Everything a search may match, lower case without accents. */
  searchable: string;
}

/** @param home tenant of the person. */
export function worklistRows(bundle: Bundle | undefined, now: Date, home?: string): WorklistRow[] {
  return byTenant(bundle).flatMap(({ tenant, bundle: part }) =>
    rowsOf(part, now).map((row) =>
      tenant === undefined || tenant === home ? row : { ...row, id: `${tenant}/${row.id}` },
    ),
  );
}

function rowsOf(bundle: Bundle, now: Date): WorklistRow[] {
  const result = found(bundle);
  const places = new Map(
    (bundle.entry ?? []).flatMap((entry) =>
      entry.resource?.resourceType === 'Task' ? [[entry.resource.id, placeOf(entry)]] : [],
    ),
  );
  return result.all('Task').map((task): WorklistRow => {
    const facts = caseFacts(task);
    const patient = result.at('Patient', task.for);
    const identity = patientIdentity(patient);
    const hospital = organizationName(result.at('Organization', task.requester), task.requester);
    const exam = examOf(result.at('ServiceRequest', task.focus), result.at('ImagingStudy', studyReference(task)));
    const owner = practitionerName(result.at('Practitioner', task.owner), task.owner);
    const wanted = task.owner ? undefined : task.restriction?.recipient?.[0];
    const assigned = wanted && practitionerName(result.at('Practitioner', wanted), wanted);
    const stateName = task.businessStatus?.text ?? caseStatusName(facts.state);
    return {
      id: facts.id,
      facts,
      stateName,
      hospital,
      patient: patient ? identity.name : (task.for?.display ?? hiddenPatient),
      sexAndAge: sexAndAge(patient, now),
      exam,
      owner,
      assigned,
      place: places.get(task.id),
      searchable: plain(
        [
          identity.name,
          identity.ipp,
          identity.ins?.value.replaceAll(' ', ''),
          hospital,
          exam.text,
          exam.act,
          stateName,
          owner,
          assigned,
          facts.number,
          facts.placerNumber,
        ].join(' '),
      ),
    };
  });
}

function studyReference(task: Task): { reference?: string } | undefined {
  return itemOf(task.output, 'imaging-study')?.valueReference;
}

function sexAndAge(patient: Patient | undefined, now: Date): string {
  if (patient === undefined) return '';
  return [sexLetter(patient?.gender), ageText(patient?.birthDate, now)]
    .filter((part) => part !== undefined)
    .join(' · ');
}
