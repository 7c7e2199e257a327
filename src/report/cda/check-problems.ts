export interface CdaProblem {
  /** Element concerned, by its name. */
  path: string;
  /** What is wrong, English, without patient data. */
  text: string;
}

/** A list and the function that adds to it. */
export function problemList(): { problems: CdaProblem[]; report: (path: string, text: string) => void } {
  const problems: CdaProblem[] = [];
  return { problems, report: (path, text) => problems.push({ path, text }) };
}
