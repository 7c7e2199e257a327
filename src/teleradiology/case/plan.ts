/** The workflow as FHIR publishes one: a PlanDefinition of type `workflow-definition`, an action for each row of the table (issue 5 §1). */
import type {
  PlanDefinition,
  PlanDefinitionAction,
  PlanDefinitionActionCondition,
  PlanDefinitionActionParticipant,
} from '@medplum/fhirtypes';
import { clocks } from './clocks.ts';
import { roles } from './facts.ts';
import { type Guard, guards } from './guards.ts';
import { whoText } from './machine.ts';
import { stateDefinition } from './states.ts';
import type { Transition, Who } from './transition.ts';
import { transitions } from './transitions.ts';

const base = 'https://fhir.passerelle.example';
export const planUrl = `${base}/PlanDefinition/case`;

/** fhir-profiles/plans/PlanDefinition-case.json; a test keeps the two equal. */
export function renderPlan(): PlanDefinition {
  return {
    resourceType: 'PlanDefinition',
    id: 'case',
    url: planUrl,
    version: '0.1.0',
    name: 'Case',
    title: 'Déroulement d’un dossier',
    type: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'workflow-definition' }],
    },
    status: 'active',
    experimental: false,
    date: '2026-11-22',
    publisher: 'Passerelle',
    description:
      'Each action is a row of the case machine: the event that triggers it, the states it starts from, what refuses it, who may. Rows of one event are tried in order. Goals are the delays that run on a case.',
    jurisdiction: [{ coding: [{ system: 'urn:iso:std:iso:3166', code: 'FR' }] }],
    goal: clocks.map((clock) => ({
      id: clock.name,
      description: { coding: [{ system: `${base}/CodeSystem/clock`, code: clock.name }], text: clock.display },
    })),
    action: transitions.map(actionOf),
  };
}

function actionOf(row: Transition): PlanDefinitionAction {
  const goals = clocks.filter(({ raises }) => raises === row.event).map(({ name }) => name);
  const code = row.to === 'same' ? undefined : stateDefinition(row.to);
  return {
    title: row.event,
    ...(code
      ? { code: [{ coding: [{ system: `${base}/CodeSystem/case-status`, code: code.code, display: code.display }] }] }
      : {}),
    ...(goals.length > 0 ? { goalId: goals } : {}),
    trigger: [{ type: 'named-event', name: row.event }],
    condition: [
      {
        kind: 'start',
        expression: { description: 'States it starts from', language: 'text/fhirpath', expression: startsFrom(row) },
      },
      ...(row.when ?? []).map((when) => applicability(when, when)),
      ...(row.guards ?? []).map((name) => applicability(name, (guards[name] as Guard).text)),
    ],
    participant: row.who.map(participantOf),
    ...(row.via.includes('operation') ? { definitionCanonical: `${base}/OperationDefinition/Task-${row.event}` } : {}),
  };
}

/** The state as a FHIRPath over the Task; a case that does not exist yet has none. */
function startsFrom(row: Transition): string {
  const codes = row.from.filter((state) => state !== 'none').map((state) => `'${state}'`);
  const status = `businessStatus.coding.where(system = '${base}/CodeSystem/case-status').code`;
  const known = `${status} in (${codes.join(' | ')})`;
  if (!row.from.includes('none')) return known;
  return codes.length === 0 ? `${status}.empty()` : `${status}.empty() or ${known}`;
}

/** A condition by its name: R4 lets other languages than FHIRPath and CQL stand, the types know only these. */
function applicability(expression: string, description: string): PlanDefinitionActionCondition {
  const named: unknown = { kind: 'applicability', expression: { description, language: 'text/plain', expression } };
  return named as PlanDefinitionActionCondition;
}

function participantOf(who: Who): PlanDefinitionActionParticipant {
  const text = whoText(who);
  const isRole = who !== 'system' && (roles as readonly string[]).includes(who);
  return {
    type: who === 'system' || who === 'ris' ? 'device' : 'practitioner',
    role: isRole ? { coding: [{ system: `${base}/CodeSystem/role`, code: who }], text } : { text },
  };
}
