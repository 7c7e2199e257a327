/** Facts that stand in the child Tasks of a case: who reads it a second time, who works on an addendum, what each of them displayed. */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Facts } from '../case/index.ts';
import { isTaskOf, outputsOf } from './case-task.ts';
import { latestChild } from './latest-child.ts';

export interface ChildFacts {
  facts: Pick<Facts, 'secondReading' | 'secondReader' | 'addendum' | 'addendumOnRequest' | 'addendumReader'>;
  /** Series displayed by whoever asks, in the work they have in hand. */
  displayed: ReadonlySet<string>;
}

export async function childFacts(tx: FhirTransaction, task: Task): Promise<ChildFacts> {
  const second = await latestChild(tx, task, 'second-reading');
  const addendum = await latestChild(tx, task, 'addendum');
  const asking = tx.context.actor.reference;
  // Who gave the opinion stays known: nobody is the second reader of their own reading.
  const secondReader = second?.status === 'completed' ? second.owner?.reference : readerOf(second);
  const addendumReader = readerOf(addendum);
  const mine = [
    ...(readerOf(second) === asking && second ? [second] : []),
    ...(addendumReader === asking && addendum ? [addendum] : []),
  ];
  // Who signed the report has seen what the case says was displayed; of anybody else only their own work tells.
  const evidence = mine.length === 0 || task.owner?.reference === asking ? [...mine, task] : mine;
  return {
    facts: {
      secondReading: second?.status === 'completed' ? 'done' : progressOf(second),
      ...(secondReader ? { secondReader } : {}),
      addendum: progressOf(addendum),
      addendumOnRequest: progressOf(addendum) !== 'none' && addendum !== undefined && isTaskOf(addendum, 're-reading'),
      ...(addendumReader ? { addendumReader } : {}),
    },
    displayed: new Set(
      evidence.flatMap((each) => outputsOf(each, 'displayed-series')).flatMap((each) => each.valueString ?? []),
    ),
  };
}

function progressOf(child: Task | undefined): 'none' | 'wanted' | 'taken' {
  if (child?.status === 'in-progress') return 'taken';
  return child?.status === 'requested' ? 'wanted' : 'none';
}

function readerOf(child: Task | undefined): string | undefined {
  return child?.status === 'in-progress' ? child.owner?.reference : undefined;
}
