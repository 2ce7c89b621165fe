/** Runs `work` on each item, at most `limit` at once; the first failure is thrown when those that run have ended. */
export async function eachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      const task: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(task));
      running.add(task);
      if (running.size >= limit) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}

/** Failures that an error names; the others are only counted. */
const mostNamed = 20;

/** What failed while the rest was done. */
export class Failures extends AggregateError {
  override readonly name = "Failures";
  readonly count: number;

  constructor(named: readonly unknown[], count: number) {
    super(named, `${count} failed; the rest is done`);
    this.count = count;
  }
}

/**
 * Runs `work` on each item, at most `limit` at once, and goes on after a failure. Throws `Failures` at the end if any failed; a failure of `items`
 * itself ends the run.
 */
export async function eachIsolated<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const named: unknown[] = [];
  let count = 0;
  const note = (error: unknown) => {
    count += 1;
    if (named.length < mostNamed) named.push(error);
  };
  try {
    await eachBounded(items, limit, (item) => work(item).catch(note));
  } catch (error) {
    note(error);
  }
  if (count > 0) throw new Failures(named, count);
}

/** Runs each piece of work in turn, also after one has failed. Throws `Failures` at the end. */
export const eachInTurn = (...pieces: readonly (() => Promise<void>)[]): Promise<void> =>
  eachIsolated(pieces, 1, (piece) => piece());

/** Maps in order, at most `limit` at once. */
export async function mapBounded<A, B>(
  items: readonly A[],
  limit: number,
  work: (item: A) => Promise<B>,
): Promise<B[]> {
  const results: { index: number; value: B }[] = [];
  await eachBounded(items.entries(), limit, async ([index, item]) => {
    results.push({ index, value: await work(item) });
  });
  return results.sort((a, b) => a.index - b.index).map((result) => result.value);
}

/** Maps as it is read, in order, with up to `ahead` under way: for lists that look at more than they show. */
export async function* mapAhead<A, B>(
  items: AsyncIterable<A>,
  ahead: number,
  work: (item: A) => Promise<B>,
): AsyncGenerator<{ readonly item: A; readonly value: B }> {
  const running: { item: A; value: Promise<B> }[] = [];
  const next = async () => {
    const first = running.shift();
    return first && { item: first.item, value: await first.value };
  };
  try {
    for await (const item of items) {
      const value = work(item);
      // It may fail before its turn has come; then its turn tells.
      value.catch(() => {});
      running.push({ item, value });
      if (running.length < ahead) continue;
      const done = await next();
      if (done !== undefined) yield done;
    }
    for (let done = await next(); done !== undefined; done = await next()) yield done;
  } finally {
    // Whoever stops early waits for those that are under way.
    await Promise.allSettled(running.map((each) => each.value));
  }
}

/** In groups of `size`; the last may be smaller. */
export async function* groupsOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** The first `count` of them, and whether there are more: one page of a list. */
export async function take<T>(items: AsyncIterable<T>, count: number): Promise<{ taken: T[]; more: boolean }> {
  const taken: T[] = [];
  for await (const item of items) {
    if (taken.length === count) return { taken, more: true };
    taken.push(item);
  }
  return { taken, more: false };
}

/** All of them: for what is few by its nature. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
