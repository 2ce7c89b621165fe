import { DomainError } from "../errors.ts";
import { mapAhead } from "./bounded.ts";

/** One page of a list: at most `top` items after the place that an earlier page ended at. */

export type PageRequest = { readonly top: number; readonly after: string | undefined };

/** A place comes back from the caller, who may have made it up: it can choose where a page begins, and nothing else. */
export const noSuchPage = (cause?: unknown): DomainError =>
  new DomainError(
    "InvalidParameter",
    "The skipToken is not one of a nextLink. Follow the nextLink as it is, or begin anew without it.",
    { target: "skipToken", cause },
  );

export type PageResult<T> = { readonly value: readonly T[]; readonly next: string | undefined };

/** `next` is where the last row of this page stands, if more follow. */
export const pageResult = <T>(
  value: readonly T[],
  rows: readonly { cursor: string }[],
  more: boolean,
): PageResult<T> => ({
  value,
  next: more ? rows.at(-1)?.cursor : undefined,
});

/** Rows that one page looks at, at the most, for those that it shows; and how many of them are under way at once. */
const mostLookedAt = 1000;
const readAhead = 16;

/** The next rows that `show` makes something of, in their order. The page may be short, even empty, and still have a next one where it shows few. */
export async function sieve<Row extends { readonly cursor: string }, Shown>(
  rows: AsyncIterable<Row>,
  top: number,
  show: (row: Row) => Promise<Shown | undefined>,
): Promise<PageResult<Shown>> {
  const value: Shown[] = [];
  let last: string | undefined;
  let lookedAt = 0;
  for await (const { item: row, value: shown } of mapAhead(rows, readAhead, show)) {
    if (value.length === top || lookedAt === mostLookedAt) return { value, next: last };
    last = row.cursor;
    lookedAt += 1;
    if (shown !== undefined) value.push(shown);
  }
  return { value, next: undefined };
}
