import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inTurn } from "../../../shared/operations/inTurn.ts";

/** Work that ends when it is told to. */
function held(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = async () => {
    log.push(name);
    return await promise;
  };
  return { work, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

describe("those that want the same place", () => {
  // A turn lasts as long as the test says, however slow the machine.
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("go one behind the other, in the order in which they came", async () => {
    const begun: string[] = [];
    const [one, two, three] = [held(begun, "one"), held(begun, "two"), held(begun, "three")];
    const all = [one, two, three].map(({ work }) => inTurn("here", work));
    await vi.waitFor(() => expect(begun).toEqual(["one"]));
    one.end();
    await vi.waitFor(() => expect(begun).toEqual(["one", "two"]));
    two.end();
    three.end();
    expect(await Promise.all(all)).toEqual(["one", "two", "three"]);
  });

  test("go on after one that failed, whose failure only its own caller sees", async () => {
    const begun: string[] = [];
    const [one, two] = [held(begun, "one"), held(begun, "two")];
    const failing = inTurn("here", one.work);
    const next = inTurn("here", two.work);
    one.fail();
    two.end();
    await expect(failing).rejects.toThrow("one");
    expect(await next).toBe("two");
  });

  test("wait for nobody who wants another place", async () => {
    const begun: string[] = [];
    const [here, there] = [held(begun, "here"), held(begun, "there")];
    const waiting = inTurn("here", here.work);
    there.end();
    expect(await inTurn("there", there.work)).toBe("there");
    here.end();
    await waiting;
  });

  test("are passed after a second, when what they do takes longer", async () => {
    const begun: string[] = [];
    const [slow, next] = [held(begun, "slow"), held(begun, "next")];
    const slowly = inTurn("here", slow.work);
    next.end();
    const passing = inTurn("here", next.work);
    await vi.advanceTimersByTimeAsync(999);
    expect(begun).toEqual(["slow"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await passing).toBe("next");
    slow.end();
    expect(await slowly).toBe("slow");
  });

  test("never wait for each other: whoever has a turn takes no second one", async () => {
    const within = (inner: string) => async () => await inTurn(inner, async () => inner);
    const all = [inTurn("left", within("right")), inTurn("right", within("left")), inTurn("left", within("left"))];
    // No turn is over by its time here: no second passes.
    expect(await Promise.all(all)).toEqual(["right", "left", "left"]);
  });
});
