/** The server's answer to « what may I do »: legal operations, and those a named guard holds back. */
import type { Parameters } from '@medplum/fhirtypes';

export interface Transitions {
  /** Names of operations, without the `$`. */
  legal: string[];
  /** Why an operation that the state would allow is refused now, in French, by its name. */
  blocked: Record<string, string>;
}

export const nothingLegal: Transitions = { legal: [], blocked: {} };

export function transitionsOf(answer: Parameters): Transitions {
  const parameters = answer.parameter ?? [];
  const blocked = parameters
    .filter((one) => one.name === 'blocked')
    .flatMap((one): [string, string][] => {
      const part = (name: string): string | undefined => {
        const found = one.part?.find((candidate) => candidate.name === name);
        return found?.valueCode ?? found?.valueString;
      };
      const name = part('transition');
      return name === undefined ? [] : [[name, part('reason') ?? 'Action impossible pour le moment.']];
    });
  return {
    legal: parameters.flatMap((one) => (one.name === 'transition' ? (one.valueCode ?? one.valueString ?? []) : [])),
    blocked: Object.fromEntries(blocked),
  };
}
