/** Everything an asynchronous sequence yields, as an array; for sequences known to be short. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
