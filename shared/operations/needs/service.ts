import type { UtcTime } from "../../api/primitives.ts";
import type { CheckpointLeaf, CheckpointRecord } from "../../domain/checkpoint.ts";
import type { EventData, NewEvent } from "../../domain/event.ts";
import type { SubjectId } from "../../domain/people.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { Violation } from "../../domain/violations.ts";
import type { Page } from "./clock.ts";
import type { Head } from "./ledger.ts";

/** The service's own partition, and what its timers keep. */

/** A day container on one account, as its deletion went. */
export type ContainerRecord = {
  readonly day: UtcDay;
  readonly account: string;
  readonly intendedOn: UtcTime;
  readonly deletedOn?: UtcTime | undefined;
};

/** What happens once and is remembered by name, so that a repetition finds it done. */
export type Mark =
  | { readonly kind: "exported"; readonly day: UtcDay; readonly subject: SubjectId }
  | { readonly kind: "forgotten"; readonly subject: SubjectId };

/** What the ledger said last of the service itself: it speaks again once that has changed. */
export type SaidOfItself = {
  readonly settings?: EventData | undefined;
  readonly findings?: EventData | undefined;
};

export type ServiceHead = Head<{ readonly begun: true; readonly said?: SaidOfItself | undefined }>;

export type Service = {
  readonly head: () => Promise<ServiceHead>;
  /** Throws `HeadMoved`. */
  readonly commit: (
    head: ServiceHead,
    change: {
      readonly events: readonly NewEvent[];
      readonly container?: ContainerRecord;
      readonly checkpoint?: CheckpointRecord;
      readonly mark?: Mark;
      /** Replaces what was said before, part by part. */
      readonly said?: SaidOfItself;
    },
    on: Date,
  ) => Promise<ServiceHead>;
  readonly container: (day: UtcDay, account: string) => Promise<ContainerRecord | undefined>;
  readonly isMarked: (mark: Mark) => Promise<boolean>;
};

/** Sealed checkpoints, in order; they stand in the service's own partition. */
export type Checkpoints = {
  readonly newest: () => Promise<CheckpointRecord | undefined>;
  readonly list: (after?: string) => Page<CheckpointRecord>;
};

/** What checkpoints saw of each partition. */
export type Leaves = {
  readonly put: (seal: { readonly seq: number; readonly run: string }, leaf: CheckpointLeaf) => Promise<void>;
  /** Each partition's newest leaf of the checkpoints that these runs sealed, in order of partition; those after one, where it is named. */
  readonly asOf: (runs: ReadonlyMap<number, string>, after?: string) => AsyncIterable<CheckpointLeaf>;
};

/** Where text is written once, by name, and never changed. */
export type Shelf = {
  readonly has: (name: string) => Promise<boolean>;
  /** Writes the lines, unless the name is taken. Memory does not grow with them. */
  readonly put: (name: string, lines: AsyncIterable<string>) => Promise<void>;
  /** In order, as they were put; none where there is nothing of that name. */
  readonly lines: (name: string) => AsyncIterable<string>;
};

/** Outside of the service's own storage, where nobody can rewrite it; undefined where there is none, as on one machine. */
export type Records = { readonly checkpoints: Shelf | undefined; readonly ledger: Shelf | undefined };

/** Who works on something that one should work on at a time, and until when that is believed without another word. */
export type Claim = { readonly holder: string; readonly expiresOn: UtcTime };

/** Each write gives the new ETag. */
export type Claims = {
  readonly read: (name: string) => Promise<(Claim & { readonly etag: string }) | undefined>;
  /** Undefined where there is one. */
  readonly insert: (name: string, claim: Claim) => Promise<string | undefined>;
  /** Throws `HeadMoved` where it is not as it was read. */
  readonly replace: (name: string, claim: Claim, etag: string) => Promise<string>;
  /** Throws `HeadMoved` where it is not as it was read. */
  readonly remove: (name: string, etag: string) => Promise<void>;
};

export type Findings = { readonly asOf: UtcTime; readonly violations: Violation[] };

/** How far a changed `PURGE_AFTER_CASE_CLOSE_DAYS` is applied to what was closed before it changed. */
export type ClosingRule = {
  /** The setting; null where it is off. */
  readonly days: number | null;
  /** When it was first seen in force. */
  readonly since: UtcTime;
  /** The list that is gone through, and after which place. */
  readonly list: "due" | "cases" | "done";
  readonly after?: string | undefined;
  /** Whether it was gone through a second time, for what an instance with the former setting wrote meanwhile. */
  readonly isSecond: boolean;
};

/** When each timer last succeeded, and what the reconciler found last. */
export type Runs = {
  readonly closingRule: () => Promise<{ readonly value: ClosingRule; readonly etag: string } | undefined>;
  /** Throws `HeadMoved` where another run has written since. */
  readonly keepClosingRule: (rule: ClosingRule, etag: string | undefined) => Promise<void>;
  readonly succeeded: (timer: string, on: UtcTime) => Promise<void>;
  readonly lastSuccess: (timer: string) => Promise<UtcTime | undefined>;
  readonly keepFindings: (found: Findings) => Promise<void>;
  readonly findings: () => Promise<Findings | undefined>;
};
