/** Each kind of remote act as a published ActivityDefinition, the one `Task.instantiatesCanonical` names (WF-13). */
import type { ActivityDefinition } from '@medplum/fhirtypes';
import { planUrl } from '../case/plan.ts';
import { delayText } from '../clock/delay.ts';
import { codeSystem, passerelle } from '../codes.ts';
import type { KindDefinition } from './kind.ts';
import { activityUrl } from './kind-of.ts';

/** fhir-profiles/plans/ActivityDefinition-<kind>.json; a test keeps them equal. */
export function renderActivity(kind: KindDefinition): ActivityDefinition {
  const { document } = kind;
  return {
    resourceType: 'ActivityDefinition',
    id: kind.code,
    url: activityUrl(kind.code),
    version: '0.1.0',
    name: kind.code.replace(/^./, (first) => first.toUpperCase()),
    title: kind.display,
    status: 'active',
    experimental: false,
    date: '2026-11-22',
    publisher: 'Passerelle',
    description: kind.description,
    jurisdiction: [{ coding: [{ system: 'urn:iso:std:iso:3166', code: 'FR' }] }],
    purpose: kind.clause,
    usage: [
      kind.protocolled ? 'Un protocole peut être demandé avant les images.' : 'Sans protocole.',
      kind.imagesExpected ? 'Lu sur les images de l’examen.' : 'Rien n’attend d’images ; des pièces jointes suffisent.',
      ...kind.delays.map(({ text, minutes }) => `${text} : ${delayText({ minutes })} par défaut.`),
      `Chapitres : ${Object.values(document.chapters).join(', ')}.`,
    ].join(' '),
    topic: [{ coding: [{ system: codeSystem.loinc, ...document.type }], text: document.name }],
    relatedArtifact: [{ type: 'depends-on', resource: planUrl }],
    kind: 'Task',
    profile: `${passerelle}/StructureDefinition/teleradiology-case`,
    code: { coding: [{ system: codeSystem.caseKind, code: kind.code, display: kind.display }] },
    intent: 'order',
    participant: kind.readers.map((role) => ({
      type: 'practitioner',
      role: { coding: [{ system: `${passerelle}/CodeSystem/role`, code: role }] },
    })),
  };
}
