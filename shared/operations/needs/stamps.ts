import type { BundleId, CaseNumber, GrantId, StampId } from "../../api/primitives.ts";
import type { AccessRecord, ListingMark } from "../../domain/access.ts";
import type { RequestRecord } from "../../domain/approval.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { DecisionRecord } from "../../domain/consent.ts";
import type { ChainPosition, NewEvent } from "../../domain/event.ts";
import type { Note } from "../../domain/people.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import type { Page } from "./clock.ts";
import type { Head } from "./ledger.ts";

/** A stamp's partition. */

/** One transaction in the partition of a stamp, or of a drop box: the events are never left out. */
export type StampChange = {
  readonly events: readonly NewEvent[];
  readonly sender?: SenderRecord;
  readonly insert?: readonly BundleRecord[];
  readonly update?: readonly { readonly from: BundleRecord; readonly to: BundleRecord }[];
  readonly decision?: DecisionRecord;
  readonly access?: AccessRecord;
  /** Refuses the change where it was written before. */
  readonly listing?: ListingMark;
  /** What the stamp is asked to approve; `from` is absent where it is new. */
  readonly request?: { readonly from: RequestRecord | undefined; readonly to: RequestRecord };
  /** A case that a bundle of the stamp is now linked to. */
  readonly lentTo?: CaseNumber;
  readonly notes?: readonly Note[];
};

export type StampHead = Head<SenderRecord>;

export type Stamps = {
  readonly head: (stampId: StampId) => Promise<StampHead>;
  /** Throws `HeadMoved`. */
  readonly commit: (stampId: StampId, head: StampHead, change: StampChange, on: Date) => Promise<StampHead>;
  /** What the commit would write to the ledger, for a paper that names its place in it. */
  readonly foresee: (head: StampHead, events: readonly NewEvent[], on: Date) => ChainPosition;
  readonly bundle: (stampId: StampId, bundleId: BundleId) => Promise<BundleRecord | undefined>;
  readonly openBundles: (stampId: StampId) => Page<BundleId>;
  /** The cases that bundles of the stamp were ever linked to. */
  readonly cases: (stampId: StampId) => Page<CaseNumber>;
  readonly history: (stampId: StampId, after?: string) => Page<BundleId>;
  readonly decision: (
    stampId: StampId,
    at: Pick<DecisionRecord, "decidedOn" | "decisionId">,
  ) => Promise<DecisionRecord | undefined>;
  readonly decisions: (stampId: StampId, after?: string) => Page<DecisionRecord>;
  readonly accesses: (stampId: StampId, after?: string) => Page<AccessRecord>;
  readonly isListed: (stampId: StampId, mark: ListingMark) => Promise<boolean>;
  readonly request: (stampId: StampId, grantId: GrantId) => Promise<RequestRecord | undefined>;
  /** The requests that nobody has answered, oldest first; the grants of some may have ended. */
  readonly openRequests: (stampId: StampId, after?: string) => Page<GrantId>;
  readonly note: (stampId: StampId, noteId: string) => Promise<Note | undefined>;
  /** Keeps a note beside what its partition has; one that is there stays. Gives the note that stands. */
  readonly keepNote: (stampId: StampId, note: Note) => Promise<Note>;
  readonly dropNote: (stampId: StampId, noteId: string) => Promise<void>;
};
