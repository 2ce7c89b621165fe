import type { BundleId, CaseNumber, GrantId, StampId, UtcTime } from "../../api/primitives.ts";
import type { CaseRecord } from "../../domain/case.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { GrantRecord } from "../../domain/grant.ts";
import type { Note } from "../../domain/people.ts";
import type { Page } from "./clock.ts";
import type { Head } from "./ledger.ts";

/** A case's partition. */

export type LinkRecord = { readonly stampId: StampId; readonly bundleId: BundleId; readonly linkedOn: UtcTime };

/** One transaction in a case's partition. */
export type CaseChange = {
  readonly events: readonly NewEvent[];
  readonly case?: CaseRecord;
  readonly insertGrant?: GrantRecord;
  /** One that has been approved. */
  readonly activateGrant?: GrantRecord;
  readonly endGrants?: readonly GrantRecord[];
  readonly insertLink?: LinkRecord;
  readonly removeLink?: LinkRecord;
  readonly notes?: readonly Note[];
};

export type CaseHead = Head<CaseRecord>;

export type Cases = {
  readonly head: (caseNumber: CaseNumber) => Promise<CaseHead>;
  /** Throws `HeadMoved`. */
  readonly commit: (caseNumber: CaseNumber, head: CaseHead, change: CaseChange, on: Date) => Promise<CaseHead>;
  readonly grant: (caseNumber: CaseNumber, grantId: GrantId) => Promise<GrantRecord | undefined>;
  readonly grants: (caseNumber: CaseNumber, after?: string) => Page<GrantRecord>;
  readonly activeGrants: (caseNumber: CaseNumber) => Page<GrantId>;
  readonly link: (caseNumber: CaseNumber, stampId: StampId, bundleId: BundleId) => Promise<LinkRecord | undefined>;
  readonly links: (caseNumber: CaseNumber, after?: string) => Page<LinkRecord>;
  readonly note: (caseNumber: CaseNumber, noteId: string) => Promise<Note | undefined>;
  readonly dropNote: (caseNumber: CaseNumber, noteId: string) => Promise<void>;
};
