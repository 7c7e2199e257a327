import { describe, expect, it } from 'vitest';
import { createScroll } from '../../src/ui/viewer/scroll.ts';

/** Loads that end when the test says so. */
function slowStack(count: number, patient = true) {
  const asked: number[] = [];
  const endings: ((missing: boolean) => void)[] = [];
  const failures: boolean[] = [];
  const scroll = createScroll(
    () => count,
    (index) =>
      new Promise((resolve, reject) => {
        asked.push(index);
        endings.push((missing) => (missing ? reject(new Error('missing')) : resolve()));
      }),
    (missing) => failures.push(missing),
    () => (patient ? new Promise(() => undefined) : Promise.resolve()),
  );
  const end = async (missing = false): Promise<void> => {
    endings.shift()?.(missing);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { scroll, asked, failures, end };
}

describe('scrolling a stack', () => {
  it('loses no press that comes while an image loads, and loads only the last image wanted', async () => {
    const { scroll, asked, end } = slowStack(40);
    scroll.startAt(0);
    for (let press = 0; press < 7; press++) void scroll.stepBy(1);
    expect(asked).toEqual([1]);
    await end();
    expect(asked).toEqual([1, 7]);
    void scroll.stepBy(-2);
    await end();
    expect(asked).toEqual([1, 7, 5]);
  });

  it('stays within the stack', async () => {
    const { scroll, asked, end } = slowStack(3);
    scroll.startAt(0);
    void scroll.stepBy(10);
    await end();
    void scroll.stepBy(-10);
    await end();
    void scroll.stepBy(-1);
    expect(asked).toEqual([2, 0, 0]);
  });

  it('tells of a missing image only when it is the one wanted last', async () => {
    const { scroll, failures, end } = slowStack(5);
    scroll.startAt(0);
    void scroll.stepBy(1);
    void scroll.stepBy(1);
    await end(true);
    expect(failures).toEqual([]);
    await end(true);
    expect(failures).toEqual([true]);
  });

  it('is not held up by an image that does not come', async () => {
    const { scroll, asked, end } = slowStack(9, false);
    scroll.startAt(0);
    void scroll.stepBy(1);
    void scroll.stepBy(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([1, 2]);
    await end();
    expect(asked).toEqual([1, 2]);
  });

  it('forgets what was wanted in the series before', async () => {
    const { scroll, asked, end, failures } = slowStack(9);
    scroll.startAt(0);
    void scroll.stepBy(4);
    scroll.startAt(0);
    void scroll.stepBy(1);
    await end(true);
    expect(failures).toEqual([]);
    await end();
    expect(asked).toEqual([4, 1]);
    expect(failures).toEqual([false]);
  });
});
