/** Time, the log, and lists that are read as they are needed. */

export type Clock = {
  /** The time of retention, consent and cases. */
  readonly now: () => Date;
  /** The time of signatures, tokens, keys and URLs. */
  readonly real: () => Date;
};

export type Page<T> = AsyncIterable<{ readonly cursor: string; readonly item: T }>;

export type Log = {
  readonly info: (event: string, facts?: Readonly<Record<string, unknown>>) => void;
  /** Something an alert keys on. */
  readonly alert: (event: string, facts?: Readonly<Record<string, unknown>>) => void;
  readonly error: (event: string, error: unknown, facts?: Readonly<Record<string, unknown>>) => void;
};

/** The trace that lines are said in. */
export type Tracing = {
  /** 32 hexadecimal digits; undefined outside of any. */
  readonly current: () => string | undefined;
  /** Runs what belongs to an earlier trace in that one; in the present one where there is none. */
  readonly under: <T>(traceId: string | undefined, work: () => T) => T;
};
