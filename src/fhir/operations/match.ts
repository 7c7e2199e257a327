/**
 * $match: is this patient known here (https://hl7.org/fhir/R4/patient-operation-match.html)? By the French traits; which trait said
 * what goes with every answer.
 */
import type { Bundle, BundleEntry, Extension, Patient } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationAnswer, type OperationCall } from '../contract.ts';
import { validateResource } from '../validation/index.ts';
import { booleanOnce, countOnce, refusal, refuseOthers, resourceGiven } from './input.ts';
import { candidatesOf } from './match-candidates.ts';
import { type Comparison, compareTraits } from './match-comparison.ts';
import { type Grade, gradeOf, scoreOf } from './match-grade.ts';
import { type Survivor, survivorsOf } from './match-survivors.ts';
import { type Traits, traitsOf } from './match-traits.ts';
import { readsOf } from './reads.ts';

const matchGrade = 'http://hl7.org/fhir/StructureDefinition/match-grade';
const matchTraits = 'https://fhir.passerelle.example/StructureDefinition/match-traits';
const answersAtMost = 100;
/** Each is a search; nobody is known by more. */
const numbersAtMost = 20;
const namesAtMost = 10;

interface Match {
  patient: Patient;
  comparison: Comparison;
  grade: Grade;
  score: number;
}

export const matchOperation: Operation = {
  name: 'match',
  type: 'Patient',
  level: 'type',
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match',
  async run(call) {
    const { parameters } = call;
    // `onlyCertainMatches` misspelt would answer with whoever is alike.
    refuseOthers(parameters, ['resource', 'onlyCertainMatches', 'count']);
    const wanted = patientGiven(call);
    call.authorize({ interaction: 'search-type', type: 'Patient' });
    const onlyCertain = booleanOnce(parameters, 'onlyCertainMatches') ?? false;
    const count = countOnce(parameters, 'count', answersAtMost) ?? answersAtMost;
    const traits = traitsOf(wanted);
    const { patients, isCut } = await candidatesOf(readsOf(call), traits);
    const remaining = await survivorsOf(readsOf(call), call.base, patients);
    const all = remaining.flatMap((survivor) => matchOf(traits, survivor)).sort(byLikelihood);
    const certain = all.filter(({ grade }) => grade === 'certain');
    // Two certain matches are one patient recorded twice: nobody may choose between them but a person.
    const kept = onlyCertain ? (certain.length === 1 ? certain : []) : all;
    const notes = [
      ...(isCut ? ['Too many patients to compare with them all: give more traits'] : []),
      ...(onlyCertain && certain.length > 1
        ? [`${certain.length} patients match with certainty: merge them first`]
        : []),
      ...(kept.length > count ? [`${kept.length - count} less likely patients were left out`] : []),
    ];
    return bundleOf(call, kept.slice(0, count), notes);
  },
};

/** @throws FhirError 400 for anything but a valid Patient with something to be recognised by. */
function patientGiven(call: OperationCall): Patient {
  const given = call.parameters.parameter?.filter(({ name }) => name === 'resource').length ?? 0;
  if (given + (call.resource ? 1 : 0) > 1) throw refusal('One resource at a time', 'resource');
  const resource = resourceGiven(call, 'resource') as Patient | undefined;
  if (resource?.resourceType !== 'Patient') throw refusal('The parameter resource, a Patient, is needed', 'resource');
  const errors = validateResource(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (errors.length > 0) throw FhirError.of(400, errors);
  if ((resource.identifier?.length ?? 0) > numbersAtMost) throw tooMany('identifier', numbersAtMost);
  if ((resource.name?.length ?? 0) > namesAtMost) throw tooMany('name', namesAtMost);
  const { ins, ipp, birthDate, birthName, firstGiven } = traitsOf(resource);
  const isEnough =
    ins.length + ipp.length > 0 || birthDate !== undefined || (birthName.length > 0 && firstGiven.length > 0);
  if (!isEnough)
    throw refusal(
      'Give an INS or an IPP with its type, a date of birth, or a birth name with a first given name',
      'resource',
    );
  return resource;
}

function tooMany(element: string, limit: number): FhirError {
  return new FhirError(400, 'too-costly', `A patient is looked for by at most ${limit} of it`, `Patient.${element}`);
}

function matchOf(wanted: Traits, { patient, traits: known }: Survivor): Match[] {
  const comparison = compareTraits(wanted, known);
  const grade = gradeOf(comparison, wanted.isQualified && known.isQualified);
  if (!grade) return [];
  const score = grade === 'certain' ? 1 : scoreOf(comparison);
  return [{ patient, comparison, grade, score }];
}

const likelihood: readonly Grade[] = ['certain', 'probable', 'possible', 'certainly-not'];

function byLikelihood(a: Match, b: Match): number {
  return (
    likelihood.indexOf(a.grade) - likelihood.indexOf(b.grade) ||
    b.score - a.score ||
    (a.patient.id! < b.patient.id! ? -1 : 1)
  );
}

function bundleOf(call: OperationCall, matches: readonly Match[], notes: readonly string[]): OperationAnswer {
  const entry: BundleEntry[] = matches.map(({ patient, comparison, grade, score }) => ({
    fullUrl: `${call.base}/Patient/${patient.id}`,
    resource: patient,
    search: { mode: 'match', score, extension: [{ url: matchGrade, valueCode: grade }, explanation(comparison)] },
  }));
  if (notes.length > 0) {
    entry.push({
      resource: {
        resourceType: 'OperationOutcome',
        issue: notes.map((diagnostics) => ({ severity: 'warning', code: 'incomplete', diagnostics })),
      },
      search: { mode: 'outcome' },
    });
  }
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: matches.length,
    ...(entry.length > 0 ? { entry } : {}),
  };
  return { status: 200, resource: bundle, shown: matches.map(({ patient }) => patient) };
}

/** Outcome by trait, as the comparison found it. */
function explanation(comparison: Comparison): Extension {
  const extension = Object.entries(comparison).map(([url, valueCode]) => ({ url, valueCode }));
  return { url: matchTraits, extension };
}
