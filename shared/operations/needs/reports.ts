import type { CaseNumber, StampId, UtcTime } from "../../api/primitives.ts";
import type { LedgerAccess } from "../../domain/access.ts";
import type { SubjectId } from "../../domain/people.ts";
import type { CountsByDay, DayCounts } from "../../domain/rollup.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { Page } from "./clock.ts";
import type { Announced } from "./ledger.ts";

/** What is kept so that reports and lists cost little. */

/** How far a ledger partition's events are counted. */
export type FoldCursor = { readonly partition: string; readonly seq: number; readonly etag: string | undefined };

/** What the retention report sums, kept per shard so that its cost does not grow with the bundles (`DESIGN.md`, Data). */
export type Rollups = {
  readonly shardOf: (partition: string) => string;
  readonly cursor: (partition: string) => Promise<FoldCursor>;
  /** Adds the counts of the events up to `through` and moves the cursor there, in one transaction. Throws `HeadMoved` where another did. */
  readonly add: (from: FoldCursor, through: number, counts: CountsByDay) => Promise<void>;
  /** The counts of every shard. */
  readonly counts: () => Promise<readonly CountsByDay[]>;
  /** The counts of one day, over every shard. */
  readonly countsOf: (day: UtcDay) => Promise<DayCounts>;
  /** When the last run that folded every touched partition began. */
  readonly completeAsOf: () => Promise<UtcTime | undefined>;
  /** That, and what that day's bundles came to then. */
  readonly complete: () => Promise<{ readonly asOf: UtcTime; readonly announced?: Announced | undefined } | undefined>;
  readonly markComplete: (asOf: UtcTime, announced: Announced) => Promise<void>;
};

/** Which stamps, drop boxes and cases there are, and whose cases; written before a partition begins, read in order of their ids. */
export type Directory = {
  /** A stamp, or a drop box. */
  readonly addSender: (id: StampId) => Promise<void>;
  readonly senders: (after?: string) => Page<StampId>;
  readonly addCase: (caseNumber: CaseNumber) => Promise<void>;
  readonly cases: (after?: string) => Page<CaseNumber>;
  readonly addAssignment: (subject: SubjectId, caseNumber: CaseNumber) => Promise<void>;
  readonly casesOf: (subject: SubjectId, after?: string) => Page<CaseNumber>;
};

/** Every access of every stamp, newest first, as far as it is folded. */
export type AccessIndex = {
  readonly placeOf: (access: LedgerAccess) => string;
  /** A place before everything that was at or before the time. */
  readonly placeBefore: (to: UtcTime) => string;
  readonly put: (access: LedgerAccess) => Promise<void>;
  readonly list: (after?: string) => Page<LedgerAccess>;
};
