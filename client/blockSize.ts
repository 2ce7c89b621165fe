/** How large the next block should be: small where the line is cut or slow, so that little is sent twice, and larger where it is good. */
export type BlockSizing = {
  /** Bytes of the next block. */
  readonly next: () => number;
  /** A block arrived; so many milliseconds passed from its first byte to its answer. */
  readonly arrived: (bytes: number, elapsedMs: number) => void;
  /** A connection was cut or fell silent while a block was on its way. */
  readonly cut: () => void;
};

/** What a line that nobody knows yet is trusted to carry between two cuts. */
const firstGuessBytes = 64 * 1024 * 1024;

/** Blocks that fit between two cuts: a cut costs half a block, so at 50 one percent of what is sent is sent twice. */
const blocksBetweenCuts = 50;

/** Longest that a block should take, in milliseconds: this much work a kill can cost, and this often progress shows. */
const longestMs = 10_000;

/** Weight of the newest block in the speed. */
const newest = 0.3;

/** Sizes between the two bounds; as long as nothing is cut they grow with what has arrived. */
export function blockSizing(bounds: { readonly smallestBytes: number; readonly largestBytes: number }): BlockSizing {
  let arrivedBytes = 0;
  let cuts = 0;
  let bytesPerMs: number | undefined;

  return {
    next: () => {
      // One more cut than there were: what has not been cut yet may be so next.
      const byCuts = (firstGuessBytes + arrivedBytes) / (cuts + 1) / blocksBetweenCuts;
      const bySpeed = bytesPerMs === undefined ? Number.POSITIVE_INFINITY : bytesPerMs * longestMs;
      const wanted = Math.floor(Math.min(byCuts, bySpeed));
      return Math.min(bounds.largestBytes, Math.max(bounds.smallestBytes, wanted));
    },
    arrived: (bytes, elapsedMs) => {
      arrivedBytes += bytes;
      const speed = bytes / Math.max(1, elapsedMs);
      bytesPerMs = bytesPerMs === undefined ? speed : (1 - newest) * bytesPerMs + newest * speed;
    },
    cut: () => {
      cuts += 1;
    },
  };
}
