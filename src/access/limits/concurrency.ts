/** How much of something each key has at this moment. */
export interface Concurrency {
  /** Takes a place; undefined when all are taken. What it answers gives the place back, once. */
  enter(key: string): (() => void) | undefined;
}

export function createConcurrency(most: number): Concurrency {
  const taken = new Map<string, number>();
  return {
    enter(key) {
      const count = taken.get(key) ?? 0;
      if (count >= most) return undefined;
      taken.set(key, count + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = taken.get(key)! - 1;
        if (left === 0) taken.delete(key);
        else taken.set(key, left);
      };
    },
  };
}
