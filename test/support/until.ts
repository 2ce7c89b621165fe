import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is not `undefined` or `false`, at most for `limitMilliseconds`; then fails with what was awaited. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limitMilliseconds = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMilliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${limitMilliseconds} ms in vain: ${what}`);
    await sleep(20);
  }
}
