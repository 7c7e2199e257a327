/** Search parameters for somebody who does not see some elements: what cannot be seen cannot be searched by. */
import { elementPaths } from './content-path.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';

/** Those that read texts of the whole resource. */
const readingEverything: readonly string[] = ['_text', '_content'];

/** @param hidden top-level elements of a type that are not seen. */
export function withoutHidden(
  registry: ParameterRegistry,
  hidden: (type: string) => readonly string[],
): ParameterRegistry {
  const byType = new Map<string, ReadonlyMap<string, Parameter>>();
  return {
    types: registry.types,
    of(type) {
      const names = hidden(type);
      if (names.length === 0) return registry.of(type);
      const known =
        byType.get(type) ?? new Map([...registry.of(type)].filter(([, parameter]) => !isAbout(parameter, names)));
      byType.set(type, known);
      return known;
    },
  };
}

function isAbout({ code, expression, resourceType }: Parameter, names: readonly string[]): boolean {
  if (readingEverything.includes(code)) return true;
  const paths = elementPaths(expression);
  // What cannot be told from the expression is taken for the worst.
  const first = paths
    ? paths.map((path) => /^\$\."([^"]+)"/.exec(path)?.[1])
    : names.filter((name) => new RegExp(`\\b${resourceType}\\.${name}\\b|\\.${name}\\b`).test(expression));
  return first.some(
    (name) => name !== undefined && names.some((hidden) => name === hidden || isChoiceOf(name, hidden)),
  );
}

/** `valueQuantity` of `value[x]`, written without its brackets. */
function isChoiceOf(name: string, element: string): boolean {
  return name.startsWith(element) && /^[A-Z]/.test(name.slice(element.length));
}
