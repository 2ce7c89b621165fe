import type { BundleId, CaseNumber, GrantId, StampId, UtcTime } from "../../api/primitives.ts";
import type { SubjectId } from "../../domain/people.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { Page } from "./clock.ts";

/** The work index. */

/** Work that is not finished, found by its due time. */
export type Unfinished =
  /** An upload, by the landing container that one attempt to create the bundle made. */
  | {
      readonly kind: "upload";
      readonly stampId: StampId;
      readonly bundleId: BundleId;
      readonly account: string;
      readonly landing: string;
    }
  /** Where a stamp tries a write before it collects: nothing in it is ever a bundle. */
  | { readonly kind: "probe"; readonly stampId: StampId; readonly account: string; readonly landing: string }
  /** A drop box, by the container that one attempt to open it made. */
  | { readonly kind: "dropBox"; readonly stampId: StampId; readonly account: string; readonly container: string }
  /** A look at a stamp, a case or a link: each time that one is due has a row of its own, so that a look done forgets none that is to come. */
  | { readonly kind: "stamp"; readonly stampId: StampId; readonly dueOn: UtcTime }
  | { readonly kind: "case"; readonly caseNumber: CaseNumber; readonly dueOn: UtcTime }
  | {
      readonly kind: "approval";
      readonly caseNumber: CaseNumber;
      readonly grantId: GrantId;
      readonly dueOn: UtcTime;
    }
  | {
      readonly kind: "link";
      readonly caseNumber: CaseNumber;
      readonly stampId: StampId;
      readonly bundleId: BundleId;
      readonly dueOn: UtcTime;
    }
  /** A decision on consent whose receipt is not signed yet, by its place in the ledger. */
  | {
      readonly kind: "receipt";
      readonly stampId: StampId;
      readonly decisionId: string;
      readonly decidedOn: UtcTime;
      readonly seq: number;
      readonly hash: string;
    }
  /** A last look at what somebody who was forgotten may still have been writing. */
  | { readonly kind: "person"; readonly subjectId: SubjectId; readonly dueOn: UtcTime };

export type Expiry = { readonly stampId: StampId; readonly bundleId: BundleId; readonly createdOn: UtcTime };

/** A bundle that is due before its day: by erasure, or because its cases were closed long enough. */
export type EarlyPurge = {
  readonly stampId: StampId;
  readonly bundleId: BundleId;
  readonly basis: "erasure" | "caseClosed";
  readonly dueOn: UtcTime;
};

export type HeldDay = { readonly day: UtcDay; readonly account: string; readonly purgeOn: UtcTime };

/** The work index, so that no timer ever scans (`DESIGN.md`, Data). Every write is safe to repeat. */
export type Schedule = {
  readonly remember: (work: Unfinished, dueOn: Date) => Promise<void>;
  readonly forget: (work: Unfinished) => Promise<void>;
  readonly due: (now: Date) => AsyncIterable<Unfinished>;
  /** The bundles of a day of creation whose bytes may be in its container. */
  readonly expire: (expiry: Expiry) => Promise<void>;
  readonly unexpire: (expiry: Expiry) => Promise<void>;
  readonly expiring: (day: UtcDay) => AsyncIterable<Expiry>;
  readonly oldestExpiring: (day: UtcDay) => Promise<Expiry | undefined>;
  /** The earliest `purgeOn` that was said of a day stands. */
  readonly holdDay: (held: HeldDay) => Promise<void>;
  readonly releaseDay: (held: HeldDay) => Promise<void>;
  readonly heldDays: () => AsyncIterable<HeldDay>;
  /** Deletions that wait for a time of their own. */
  readonly purgeEarlyAt: (work: EarlyPurge) => Promise<void>;
  readonly forgetEarly: (work: EarlyPurge) => Promise<void>;
  readonly earlyDue: (now: Date) => AsyncIterable<EarlyPurge>;
  /** All of them, due or not. */
  readonly early: (after?: string) => Page<EarlyPurge>;
  /** Gives the day its date of deletion where it has none yet. Gives the date that stands. */
  readonly fixPurgeOn: (day: UtcDay, purgeOn: UtcTime) => Promise<UtcTime>;
  /** The ledger partitions of stamps or of cases that changed on the day or after it, once for each day. */
  readonly touchedSince: (kind: "stamps" | "cases", day: UtcDay) => AsyncIterable<string>;
};
