import fc from "fast-check";
import { expect, test } from "vitest";
import { type PageResult, sieve } from "../../../shared/operations/paging.ts";

test("the pages of a sieve show each row that passes once, in order, however few pass", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), async (passes, top) => {
      const page = (after: string | undefined) =>
        sieve(rowsAfter(passes, after), top, async ({ index, passes }) => (passes ? index : undefined));
      const shown: number[] = [];
      let last: PageResult<number> = await page(undefined);
      shown.push(...last.value);
      while (last.next !== undefined) {
        expect(last.value.length).toBeLessThanOrEqual(top);
        last = await page(last.next);
        shown.push(...last.value);
      }
      expect(shown).toEqual(passes.flatMap((each, index) => (each ? [index] : [])));
    }),
  );
});

test("a page that finds little ends before it has looked at everything, and goes on in the next", async () => {
  const rows = Array.from({ length: 1500 }, (_, index) => index === 1499);
  const first = await sieve(rowsAfter(rows, undefined), 10, async ({ passes }) => passes || undefined);
  expect(first).toEqual({ value: [], next: "999" });
  const second = await sieve(rowsAfter(rows, first.next), 10, async ({ passes }) => passes || undefined);
  expect(second).toEqual({ value: [true], next: undefined });
});

async function* rowsAfter(rows: readonly boolean[], after: string | undefined) {
  for (const [index, passes] of rows.entries()) {
    if (after === undefined || index > Number(after)) yield { cursor: String(index), index, passes };
  }
}
