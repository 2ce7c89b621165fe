/** One page of a list: at most `top` items after the place that an earlier page ended at. */

export type PageRequest = { readonly top: number; readonly after: string | undefined };

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
