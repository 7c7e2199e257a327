/** Parameters of a statement being put together. */
export interface SqlValues {
  /** Adds a value; answers its placeholder, `$3`. */
  add(value: unknown): string;
  readonly list: readonly unknown[];
}

export function createSqlValues(...first: unknown[]): SqlValues {
  const list: unknown[] = [...first];
  return {
    list,
    add(value) {
      list.push(value);
      return `$${list.length}`;
    },
  };
}
