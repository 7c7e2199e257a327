/** Runs the demonstration's steps one after the other, printing each with its evidence and duration. */

export interface Step {
  title: string;
  /** Answers the evidence, one line each. @throws Error when what should have happened did not. */
  run(): Promise<string[]>;
}

/**
 * @returns whether every step passed; the first failure stops the run.
 */
export async function runSteps(steps: readonly Step[], print: (line: string) => void): Promise<boolean> {
  for (const [index, step] of steps.entries()) {
    const start = performance.now();
    try {
      const evidence = await step.run();
      print(`✔ ${index + 1}. ${step.title} (${Math.round(performance.now() - start)} ms)`);
      for (const line of evidence) print(`     ${line}`);
    } catch (error) {
      print(`✘ ${index + 1}. ${step.title} (${Math.round(performance.now() - start)} ms)`);
      print(`     ${describeFailure(error)}`);
      return false;
    }
  }
  return true;
}

/** @throws Error with `what` unless the condition holds. */
export function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Asks again until the answer satisfies, or fails saying what was awaited (in French, as what is expected). */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
  everyMs = 50,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`toujours rien après ${timeoutMs / 1000} s : ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** An HTTP client's error carries the server's answer: its OperationOutcome says more than its message. */
export function describeFailure(error: unknown): string {
  const data = (error as { response?: { data?: { issue?: { diagnostics?: string }[] } } }).response?.data;
  const told = data?.issue?.map((issue) => issue.diagnostics).join(' ; ');
  return told ?? (error instanceof Error ? error.message : String(error));
}
