import type { Readable } from "node:stream";
import type { BundleId, CaseNumber, GrantId, Purpose, StampId, UtcTime } from "../api/primitives.ts";
import type { InventoryTaking } from "../archive/inventory.ts";
import type { Source } from "../archive/source.ts";
import type { LedgerAccess } from "../domain/access.ts";
import type { AccountFault } from "../domain/accountFaults.ts";
import type { RequestRecord } from "../domain/approval.ts";
import type { BundleRecord } from "../domain/bundle.ts";
import type { CaseRecord } from "../domain/case.ts";
import type { CheckpointLeaf, CheckpointRecord } from "../domain/checkpoint.ts";
import type { ArrivedFile } from "../domain/dropBox.ts";
import type { ChainedEvent, ChainPosition, NewEvent } from "../domain/event.ts";
import type { GrantRecord } from "../domain/grant.ts";
import type { InventoryRecord } from "../domain/inventory.ts";
import type { Note, Person, SubjectId } from "../domain/people.ts";
import type { CountsByDay, DayCounts } from "../domain/rollup.ts";
import type { SenderRecord } from "../domain/sender.ts";
import type { Limits } from "../domain/storms.ts";
import type { UtcDay } from "../domain/utcDay.ts";
import type { OldestVersions } from "../domain/versions.ts";
import type { Violation } from "../domain/violations.ts";
import type { FalseClaims } from "./falseClaims.ts";
import type { Intake } from "./intake.ts";

/**
 * What operations need from the world, as plain types; an operation takes the few that it names (`Pick`), and `app.ts` hands them over.
 * Every function may throw `ServiceUnavailable`.
 */

export type Clock = {
  /** The time of retention, consent and cases. */
  readonly now: () => Date;
  /** The time of signatures, tokens, keys and URLs. */
  readonly real: () => Date;
};

/** A partition as it was read: its head is the lock (`DESIGN.md`, Data). */
export type Head<State> = {
  readonly partition: string;
  readonly position: ChainPosition;
  /** Absent where the partition has not begun. */
  readonly state: State | undefined;
  readonly touchedDay: string | undefined;
  readonly etag: string | undefined;
};

/** Thrown by a commit whose head had moved, or whose new row was there already: read again and decide again. */
export class HeadMoved extends Error {
  override readonly name = "HeadMoved";
}

export type Page<T> = AsyncIterable<{ readonly cursor: string; readonly item: T }>;

export type DecisionRecord = {
  readonly decisionId: string;
  readonly state: "enabled" | "disabled";
  readonly decidedOn: UtcTime;
  readonly decidedBy: string;
  readonly purposes: Purpose[];
  readonly termsVersion: string;
  readonly termsSha256: string;
  readonly registrationGeneration: number;
};

export type AccessRecord = {
  readonly accessId: string;
  readonly on: UtcTime;
  readonly caseNumber: CaseNumber;
  readonly purpose: Purpose;
  readonly stampId: StampId;
  readonly bundleId: BundleId;
  readonly grantId: GrantId;
  readonly accessor: SubjectId;
  /** One file of the bundle; absent for the whole. */
  readonly pathDigest?: string | undefined;
};

/** One transaction in the partition of a stamp, or of a drop box: the events are never left out. */
export type StampChange = {
  readonly events: readonly NewEvent[];
  readonly sender?: SenderRecord;
  readonly insert?: readonly BundleRecord[];
  readonly update?: readonly { readonly from: BundleRecord; readonly to: BundleRecord }[];
  readonly decision?: DecisionRecord;
  readonly access?: AccessRecord;
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
  readonly decisions: (stampId: StampId, after?: string) => Page<DecisionRecord>;
  readonly accesses: (stampId: StampId, after?: string) => Page<AccessRecord>;
  readonly request: (stampId: StampId, grantId: GrantId) => Promise<RequestRecord | undefined>;
  /** The requests that nobody has answered, oldest first; the grants of some may have ended. */
  readonly openRequests: (stampId: StampId, after?: string) => Page<GrantId>;
  readonly note: (stampId: StampId, noteId: string) => Promise<Note | undefined>;
  readonly dropNote: (stampId: StampId, noteId: string) => Promise<void>;
};

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

export type ServiceHead = Head<{ readonly begun: true }>;

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
    };

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
  /** The ledger partitions of stamps or of cases that changed on the day or after it, once for each day. */
  readonly touchedSince: (kind: "stamps" | "cases", day: UtcDay) => AsyncIterable<string>;
};

/** How far a ledger partition's events are counted. */
export type FoldCursor = { readonly partition: string; readonly seq: number; readonly etag: string | undefined };

/** Bytes that bundles begun on the day were announced to have. */
export type Announced = { readonly day: UtcDay; readonly bytes: number };

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

/** Where a side row stands: the ledger partition and the note. */
export type NotePlace = { readonly partition: string; readonly noteId: string };

export type People = {
  /** The subject id of a person, made where there is none yet. */
  readonly subjectOf: (person: Person) => Promise<SubjectId>;
  /** Whom it stands for; undefined once forgotten. */
  readonly whois: (subject: SubjectId) => Promise<Person | undefined>;
  /** Remembers a side row that the person wrote or is named in; before the row is. */
  readonly wrote: (subject: SubjectId, place: NotePlace) => Promise<void>;
  readonly notes: (subject: SubjectId) => AsyncIterable<NotePlace>;
  readonly noteGone: (subject: SubjectId, place: NotePlace) => Promise<void>;
  /** Deletes what leads from the id to the person and back. */
  readonly forget: (subject: SubjectId) => Promise<void>;
  /** Who was last met in that month, `yyyymm`. */
  readonly lastMetIn: (month: string) => AsyncIterable<SubjectId>;
};

export type Events = {
  /** A partition's events after `afterSeq`, in order. */
  readonly of: (partition: string, afterSeq: number) => AsyncIterable<ChainedEvent>;
  /** Where a partition's chain stands; undefined where there is no such partition. */
  readonly position: (partition: string) => Promise<ChainPosition | undefined>;
};

export type LandedBlob = {
  readonly etag: string;
  readonly sizeBytes: number;
  /** Why it cannot be verified, in words; undefined where it can. */
  readonly unusable: string | undefined;
};

/** The landing side of the storage accounts: what a stamp's URL can write. */
export type Landing = {
  readonly place: (stampId: StampId, geography: string) => string;
  readonly containerName: (of: { stampId: StampId; bundleId: BundleId; attempt: string; day: UtcDay }) => string;
  readonly create: (account: string, landing: string) => Promise<void>;
  /** The container for a stamp's test writes in the hour that begins then. */
  readonly probeName: (stampId: StampId, hour: Date) => string;
  /** Makes the container where it is not there. */
  readonly ensure: (account: string, landing: string) => Promise<void>;
  readonly uploadUrl: (account: string, landing: string, expiresOn: Date) => Promise<string>;
  readonly landed: (account: string, landing: string) => Promise<LandedBlob | undefined>;
  readonly stagedBlocks: (account: string, landing: string) => Promise<readonly { id: string; sizeBytes: number }[]>;
  readonly isThere: (account: string, landing: string) => Promise<boolean>;
  /** Resolves once it is verified gone: no URL that was issued can write any more. */
  readonly delete: (account: string, landing: string) => Promise<void>;
};

export type Place = {
  readonly account: string;
  readonly day: UtcDay;
  readonly stampId: StampId;
  readonly bundleId: BundleId;
};

export type CopyState =
  | { readonly status: "pending" | "sourceChanged" | "sourceMissing" }
  | { readonly status: "failed"; readonly etag: string | undefined }
  | { readonly status: "success"; readonly etag: string; readonly sizeBytes: number };

/** The day containers, which only the service writes. */
export type Days = {
  readonly ensure: (account: string, day: UtcDay) => Promise<void>;
  readonly startCopy: (from: { account: string; landing: string; etag: string }, to: Place) => Promise<CopyState>;
  /** The copy as it stands; undefined where there is none. */
  readonly copyState: (place: Place) => Promise<CopyState | undefined>;
  /** Deletes a copy that failed, and not a newer one in its place. */
  readonly discard: (place: Place, etag: string) => Promise<void>;
  /** In order and once; `beside` takes the bytes as they go by, and what it has `kept` of the end is not read again. */
  readonly readAndHash: (
    place: Place,
    version: CopiedVersion,
    beside?: Pick<InventoryTaking, "kept" | "take">,
  ) => Promise<{ sha256: string; head: Uint8Array; tail: Uint8Array }>;
  readonly readUrl: (place: Place, as: { fileName: string; contentType: string; expiresOn: Date }) => Promise<string>;
  /** With all that is derived from it; resolves once it is verified gone. */
  readonly deleteBundle: (place: Place) => Promise<void>;
  /** One deleting call, however many bundles; resolves once it is verified gone. */
  readonly deleteDay: (account: string, day: UtcDay) => Promise<void>;
};

/** A copy as it was when it was looked at. */
export type CopiedVersion = { readonly etag: string; readonly sizeBytes: number };

/** One file taken out of a bundle, by the salted digest of its path, and the day of lending. */
export type LentFile = { readonly place: Place; readonly lentOn: UtcDay; readonly digest: string };

/** What is inside the bundles. All that is kept of it lies in their day containers, or a day long in that of its lending. */
export type Contents = {
  readonly open: (place: Place, version: CopiedVersion) => Source;
  /** Once kept, an inventory stays as it is. Safe to repeat. */
  readonly keepInventory: (place: Place, record: InventoryRecord, lines: Buffer) => Promise<void>;
  readonly inventory: (place: Place) => Promise<InventoryRecord | undefined>;
  /** At most `count` bytes of the inventory's lines from a byte offset on; undefined where there is no inventory. */
  readonly inventoryLines: (place: Place, offset: number, count: number) => Promise<Buffer | undefined>;
  readonly isLent: (file: LentFile) => Promise<boolean>;
  /** The file is there only once `content` has ended well. Safe to repeat. */
  readonly lend: (file: LentFile, content: Readable) => Promise<void>;
  readonly lentUrl: (file: LentFile, as: { fileName: string; expiresOn: Date }) => Promise<string>;
  /** Keeps a path beside its bundle, so that its customer sees it as long as the bundle lives. */
  readonly keepLentPath: (file: LentFile, path: string) => Promise<void>;
  readonly lentPath: (place: Place, digest: string) => Promise<string | undefined>;
  readonly lentDays: (account: string) => Promise<readonly UtcDay[]>;
  /** Why the file could not be taken out, in words; kept and dropped with the day's lent files. */
  readonly noteLentFailure: (file: LentFile, message: string) => Promise<void>;
  readonly forgetLentFailure: (file: LentFile) => Promise<void>;
  readonly lentFailure: (file: LentFile) => Promise<string | undefined>;
  readonly deleteLentDay: (account: string, day: UtcDay) => Promise<void>;
  /** Deletes all that was taken out of one bundle; resolves once it is verified gone. */
  readonly deleteLentOf: (place: Place) => Promise<void>;
};

/** The containers of drop boxes, which whoever has a box's URL can write and read. */
export type Boxes = {
  /** Makes the container where it is missing. */
  readonly ensure: (account: string, container: string) => Promise<void>;
  readonly url: (account: string, container: string, expiresOn: Date) => Promise<string>;
  /** In the order of their paths; none where the container is gone. */
  readonly files: (account: string, container: string) => AsyncIterable<ArrivedFile>;
  readonly isThere: (account: string, container: string) => Promise<boolean>;
  /** Resolves once it is verified gone: no URL that was issued can write any more. */
  readonly delete: (account: string, container: string) => Promise<void>;
  readonly copy: (
    from: { account: string; container: string; path: string; etag: string },
    to: Place,
  ) => Promise<CopyState>;
};

export type AccountLook = { readonly mayWrite: boolean; readonly signal?: AbortSignal };

/** What is really in the accounts, listed rather than looked up. */
export type Storehouse = {
  readonly accounts: readonly string[];
  /** Those of them that take no new bundles. */
  readonly draining: readonly string[];
  readonly containers: (account: string) => AsyncIterable<string>;
  /** The names of all blobs of a day's container, whatever they are. */
  readonly blobsIn: (account: string, day: UtcDay) => AsyncIterable<string>;
  readonly holdsBlob: (account: string, day: UtcDay, name: string) => Promise<boolean>;
  /** How the account is set up and must not be. Where Resource Manager is not asked, a look that may write a probe sees more. */
  readonly faults: (account: string, look: AccountLook) => Promise<readonly AccountFault[]>;
};

export type Findings = { readonly asOf: UtcTime; readonly violations: Violation[] };

/** When each timer last succeeded, and what the reconciler found last. */
export type Runs = {
  readonly succeeded: (timer: string, on: UtcTime) => Promise<void>;
  readonly lastSuccess: (timer: string) => Promise<UtcTime | undefined>;
  readonly keepFindings: (found: Findings) => Promise<void>;
  readonly findings: () => Promise<Findings | undefined>;
};

/** Asks for the verification of a bundle, or for the emptying of a drop box that is closing. */
export type VerificationQueue = {
  readonly send: (
    message: { stampId: StampId; bundleId: BundleId } | { dropBoxId: StampId },
    delaySeconds?: number,
  ) => Promise<void>;
};

/** Files that are too large to be taken out while their reader waits. */
export type ExtractionQueue = {
  readonly send: (message: { stampId: StampId; bundleId: BundleId; digest: string; lentOn: UtcDay }) => Promise<void>;
};

export type PaperType = "consent-receipt+jwt" | "deletion-certificate+jwt" | "checkpoint+jwt";

export type Papers = { readonly sign: (typ: PaperType, claims: Record<string, unknown>) => Promise<string> };

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

/** What is configured and of concern to operations. */
export type Rules = {
  readonly publicOrigin: string;
  readonly purgeAfterDays: number;
  readonly eraseDelayHours: number;
  /** Undefined: closing a case deletes nothing. */
  readonly purgeAfterCaseCloseDays: number | undefined;
  readonly maxBundleBytes: number;
  readonly maxDropBoxFiles: number;
  readonly metadataRetentionDays: number;
  /** Undefined where rates are not limited. */
  readonly limits: Limits | undefined;
  readonly oldestVersions: OldestVersions;
};

export type World = {
  readonly clock: Clock;
  readonly rules: Rules;
  readonly stamps: Stamps;
  readonly cases: Cases;
  readonly service: Service;
  readonly checkpoints: Checkpoints;
  readonly records: Records;
  readonly leaves: Leaves;
  readonly schedule: Schedule;
  readonly rollups: Rollups;
  readonly accessIndex: AccessIndex;
  readonly directory: Directory;
  readonly people: People;
  readonly events: Events;
  readonly landing: Landing;
  readonly days: Days;
  readonly contents: Contents;
  readonly boxes: Boxes;
  readonly storehouse: Storehouse;
  readonly runs: Runs;
  readonly queue: VerificationQueue;
  readonly extractions: ExtractionQueue;
  readonly papers: Papers;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly intake: Intake;
  readonly falseClaims: FalseClaims;
};

/** The stores as an auditor's operations get them: nothing in here writes, so none of them can. */
export type AuditWorld = Pick<World, "checkpoints" | "clock" | "events" | "rules"> & {
  readonly accessIndex: Pick<AccessIndex, "placeOf" | "placeBefore" | "list">;
  readonly directory: Pick<Directory, "senders" | "cases">;
  readonly leaves: Pick<Leaves, "asOf">;
  readonly people: Pick<People, "whois">;
  readonly rollups: Pick<Rollups, "cursor" | "counts" | "completeAsOf">;
  readonly runs: Pick<Runs, "lastSuccess" | "findings">;
  readonly schedule: Pick<Schedule, "heldDays" | "oldestExpiring" | "earlyDue" | "touchedSince">;
};
