/** Kinds of remote acts (docs/fhir-conventions.md), and the words their report uses for its four chapters. */
import type { CodeableConcept } from '@medplum/fhirtypes';

export const kindSystem = 'https://fhir.passerelle.example/CodeSystem/case-kind';

export const kinds = [
  { value: 'teleexpertise', label: 'Téléexpertise : demander un avis' },
  { value: 'teleconsultation', label: 'Téléconsultation : faire voir un patient à distance' },
  { value: 'teleassistance', label: 'Téléassistance : être assisté pendant un acte' },
  { value: 'teleradiology', label: 'Téléradiologie : faire interpréter des images' },
] as const;

export type Kind = (typeof kinds)[number]['value'];

/** The kind a case was opened as, from `Task.code`; teleradiology when it says nothing. */
export function kindOf(code: CodeableConcept | undefined): Kind {
  const given = code?.coding?.find(({ system }) => system === kindSystem)?.code;
  return kinds.find(({ value }) => value === given)?.value ?? 'teleradiology';
}

export interface ChapterWords {
  label: string;
  hint: string;
}

const consultation = (words: readonly [string, string, string, string], conclusion: string) =>
  ({
    indication: { label: words[0], hint: '' },
    technique: { label: words[1], hint: '' },
    results: { label: words[2], hint: '' },
    conclusion: { label: words[3], hint: conclusion },
  }) as const;

/** Headings of the chapters of other acts than imaging, as the signed document prints them. */
export const chaptersOfKind: Partial<
  Record<Kind, Record<'indication' | 'technique' | 'results' | 'conclusion', ChapterWords>>
> = {
  teleexpertise: consultation(['Question posée', 'Éléments examinés', 'Analyse', 'Avis'], 'Réponse, conduite à tenir'),
  teleconsultation: consultation(['Motif', 'Déroulement', 'Examen', 'Conclusion et prescriptions'], ''),
  teleassistance: consultation(['Acte assisté', 'Déroulement', 'Constatations', 'Conclusion'], ''),
};

const badges: Record<Exclude<Kind, 'teleradiology'>, string> = {
  teleexpertise: 'Téléexpertise',
  teleconsultation: 'Téléconsultation',
  teleassistance: 'Téléassistance',
};

/** What a badge says; undefined for the ordinary kind. */
export function kindBadge(kind: Kind): string | undefined {
  return kind === 'teleradiology' ? undefined : badges[kind];
}
