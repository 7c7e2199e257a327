/** `Task/$worklist` of the fake server: open cases, urgent ones first, each with its place. */
import type { Bundle, BundleEntry, Extension, Task } from '@medplum/fhirtypes';

const P = 'https://fhir.passerelle.example/';
const over = ['completed', 'cancelled', 'rejected', 'failed', 'entered-in-error'];

/** @param found cases and what belongs to them. */
export function ranked(found: Bundle, query: Record<string, string | string[]> = {}): Bundle {
  const entries = (found.entry ?? []).flatMap((entry): BundleEntry[] => {
    const { resource } = entry;
    if (resource?.resourceType !== 'Task' || !isCase(resource)) return [{ ...entry, search: { mode: 'include' } }];
    const inHand = resource.owner !== undefined;
    const isAsked = query.stage === 'in-hand' || query.mine === 'true' ? inHand : true;
    if (over.includes(resource.status ?? '') || !isAsked) return [];
    return [{ ...entry, search: { mode: 'match', extension: [placeOf(resource, inHand)] } }];
  });
  return { ...found, entry: entries };
}

function isCase(task: Task): boolean {
  return task.code?.coding?.[0]?.code === 'teleradiology-case';
}

function placeOf(task: Task, inHand: boolean): Extension {
  const day = 24 * 3_600_000;
  const due = task.restriction?.period?.end ?? new Date(Date.parse(task.authoredOn ?? '') + day).toISOString();
  return {
    url: `${P}StructureDefinition/worklist-place`,
    extension: [
      { url: 'class', valueCode: task.priority === 'routine' ? 'routine' : 'urgent' },
      { url: 'stage', valueCode: inHand ? 'in-hand' : 'to-read' },
      { url: 'due', valueInstant: due },
      { url: 'running', valueBoolean: task.restriction !== undefined },
      { url: 'place', valueInstant: due },
      {
        url: 'term',
        extension: [
          { url: 'code', valueCode: 'sub-specialty' },
          { url: 'minutes', valueInteger: 30 },
          { url: 'text', valueString: 'Votre sur-spécialité : Neuroradiologie' },
        ],
      },
      { url: 'why', valueString: 'Votre sur-spécialité : Neuroradiologie : avancé de 30 min' },
    ],
  };
}
