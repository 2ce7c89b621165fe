import { AsyncLocalStorage } from "node:async_hooks";

/** Those of this process that want the same place go one behind the other, where racing would only make each of them try again. */

const lastOf = new Map<string, Promise<void>>();
const havingATurn = new AsyncLocalStorage<true>();

/** Many times what a commit takes; whoever has more to do goes on beside the next. */
const longestTurnMs = 1_000;

/**
 * Runs `work` when the turns of those before it at `place` are over. Whoever has a turn already, anywhere, takes no second one: no two can wait
 * for each other. Throws what `work` throws.
 */
export async function inTurn<T>(place: string, work: () => Promise<T>): Promise<T> {
  if (havingATurn.getStore()) return await work();
  const before = lastOf.get(place);
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  lastOf.set(place, over);
  await before;
  const timer = setTimeout(end, longestTurnMs);
  try {
    return await havingATurn.run(true, work);
  } finally {
    clearTimeout(timer);
    end();
    if (lastOf.get(place) === over) lastOf.delete(place);
  }
}
