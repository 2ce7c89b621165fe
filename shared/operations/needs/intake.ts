/**
 * How many bytes all stamps together have announced today: what was folded from the ledger, read again each minute beside the requests (one call),
 * and what this instance has let in since. Near enough for a budget, and no request waits for it (`docs/decisions/limits-on-rates.md`).
 */
export type Intake = {
  readonly bytesOn: (now: Date) => number;
  /** Counts what this instance has let in. */
  readonly took: (bytes: number, now: Date) => void;
  /** Reads the rollups; it happens by itself where the last reading is old. */
  readonly refresh: () => Promise<void>;
};
