import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { eachBounded, mapAhead } from "../../../shared/operations/bounded.ts";

describe("mapAhead", () => {
  test("gives the outcomes in order, whichever ends first", async () => {
    const slowFirst = async (item: number) => {
      if (item === 0) await sleep(10);
      return item * 2;
    };
    const seen: number[] = [];
    for await (const { value } of mapAhead(count(5), 3, slowFirst)) seen.push(value);
    expect(seen).toEqual([0, 2, 4, 6, 8]);
  });

  test("a failure of one whose turn has not come is thrown in its turn, and never left unseen: the host would end the process", async () => {
    const unseen: unknown[] = [];
    const note = (error: unknown) => void unseen.push(error);
    process.on("unhandledRejection", note);
    try {
      const outage = async (item: number) => {
        await sleep(item === 0 ? 30 : 1);
        throw new Error(`item ${item}`);
      };
      await expect(drain(mapAhead(count(5), 5, outage))).rejects.toThrow("item 0");
      await sleep(10);
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unseen).toEqual([]);
  });
});

describe("eachBounded", () => {
  test("waits for those that run, also where the items themselves end in a failure: nothing goes on after its caller", async () => {
    async function* failing(): AsyncGenerator<number> {
      yield* count(3);
      throw new Error("no more items");
    }
    const done: number[] = [];
    const work = async (item: number) => {
      await sleep(10);
      done.push(item);
    };
    await expect(eachBounded(failing(), 8, work)).rejects.toThrow("no more items");
    expect(done).toEqual([0, 1, 2]);
  });
});

async function* count(to: number): AsyncGenerator<number> {
  for (let item = 0; item < to; item += 1) yield item;
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
