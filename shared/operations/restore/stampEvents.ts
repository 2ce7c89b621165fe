import { randomUUID } from "node:crypto";
import * as z from "zod";
import { approvalMode } from "../../api/approvals.ts";
import { bundleState, mode, purgeBasis, rejectionCode } from "../../api/bundles.ts";
import { closeReason, refusedFiles } from "../../api/dropBoxes.ts";
import {
  bundleId,
  caseNumber,
  dropBoxId,
  grantId,
  guid,
  keyId,
  purpose,
  stampId,
  utcTime,
} from "../../api/primitives.ts";
import { disabledReason } from "../../api/stamps.ts";
import type { AccessRecord } from "../../domain/access.ts";
import { type RequestRecord, setApproval } from "../../domain/approval.ts";
import { type BundleRecord, ended } from "../../domain/bundle.ts";
import { decide, decisionRecord } from "../../domain/consent.ts";
import { boxContainerName } from "../../domain/containers.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import type { ChainedEvent } from "../../domain/event.ts";
import { noLoad } from "../../domain/load.ts";
import { subjectId } from "../../domain/people.ts";
import { nextGeneration } from "../../domain/registration.ts";
import { deleteBy } from "../../domain/retention.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import { disabled, type StampRecord } from "../../domain/stamp.ts";
import { utcDay } from "../../domain/utcDay.ts";
import type { StampChange } from "../needs.ts";
import { requestAfter } from "./requestEvents.ts";

/** What each event of a stamp's partition says of its rows: the change that was written with it, as far as events tell. */

/** In place of what no event holds; the stamp has no key until it is registered again, and that brings all of it. */
export const untold = "(not in the ledger)";
const noDeployment = "00000000-0000-0000-0000-000000000000";

type Rows = {
  readonly sender: SenderRecord | undefined;
  readonly bundle: BundleRecord | undefined;
  readonly request?: RequestRecord | undefined;
};
type Change = Omit<StampChange, "events">;

/** The bundle that the event is about. */
export const bundleOf = ({ data }: ChainedEvent) => z.object({ bundleId }).safeParse(data).data?.bundleId;

/** Throws where the event cannot follow what stands. */
export function stampChange(event: ChainedEvent, { sender, bundle, request }: Rows): Change {
  if (event.type === "stamp.registered") return { sender: registered(event) };
  if (event.type === "dropBox.opened") return { sender: openedBox(event) };
  if (sender === undefined) throw new TypeError(`${event.type} before its sender began`);
  if (event.type === "bundle.created") return { insert: [created(event, sender)] };
  const ofSender = sender.kind === "stamp" ? stampAfter(event, sender) : boxAfter(event, sender);
  if (ofSender !== undefined) return ofSender;
  const ofRequest = requestAfter(event, request);
  if (ofRequest !== undefined) return ofRequest;
  if (bundle === undefined) throw new TypeError(`${event.type} of a bundle that was not created`);
  const to = bundleAfter(event, bundle);
  const update = to === bundle ? {} : { update: [{ from: bundle, to }] };
  return { ...update, ...besides(event) };
}

const registered = ({ data, on }: ChainedEvent): StampRecord => ({
  kind: "stamp",
  stampId: z.object({ stampId }).parse(data).stampId,
  displayName: untold,
  stampVersion: untold,
  deploymentId: noDeployment,
  cloud: "AzureCloud",
  geography: untold,
  registrationResourceId: untold,
  registrationGeneration: 1,
  state: "enabled",
  keys: [],
  createdOn: on,
  updatedOn: on,
  consentEpoch: 0,
  uploadEpoch: 0,
  load: noLoad,
});

const generation = z.object({ registrationGeneration: z.int() });

/** Undefined for an event of a bundle. */
function stampAfter({ type, data, on }: ChainedEvent, stamp: StampRecord): Change | undefined {
  const changed = { ...stamp, updatedOn: on };
  switch (type) {
    case "stamp.updated": {
      const isNew = generation.parse(data).registrationGeneration > stamp.registrationGeneration;
      return { sender: isNew ? nextGeneration(changed) : changed };
    }
    case "stamp.keyRotated":
      return { sender: changed };
    case "stamp.disabled": {
      const { reason } = z.object({ reason: disabledReason }).parse(data);
      return { sender: disabled(changed, reason) };
    }
    case "stamp.enabled": {
      const { disabledReason: _taken, ...rest } = changed;
      return { sender: { ...rest, state: "enabled" } };
    }
    case "stamp.accessApprovalSet": {
      const said = z.object({ mode: approvalMode, decidedBy: z.string() }).parse(data);
      return { sender: setApproval(stamp, said, new Date(on)) ?? stamp };
    }
    case "consent.decided": {
      const decision = decisionRecord.parse(data);
      const { state, decidedBy, purposes, termsVersion } = decision;
      const said = { state, decidedBy, purposes, termsVersion };
      return { sender: decide(stamp, said, decision.decisionId, new Date(decision.decidedOn)), decision };
    }
    default:
      return undefined;
  }
}

const opening = z.object({
  dropBoxId,
  stampId,
  caseNumber,
  contact: z.string(),
  decidedBy: z.string(),
  decisionId: guid,
  purposes: z.array(purpose),
  termsVersion: z.string(),
  decidedOn: utcTime,
  expiresOn: utcTime,
  purgeOn: utcTime,
  account: z.string().min(1),
  stampVersion: z.string().optional(),
});

/** The digest of its request is in no event: the same request again is refused as another box. */
function openedBox({ data, on }: ChainedEvent): DropBoxRecord {
  const { decisionId, decidedOn, purposes, termsVersion, ...facts } = opening.parse(data);
  return {
    ...facts,
    kind: "dropBox",
    state: "open",
    consentDecision: { decisionId, basis: "operator", decidedOn, termsVersion, purposes },
    createdOn: on,
    deleteBy: deleteBy(new Date(on)),
    requestDigest: untold,
    container: boxContainerName(utcDay(new Date(on)), facts.dropBoxId),
    consentEpoch: 0,
    uploadEpoch: 0,
  };
}

/** Undefined for an event of a bundle. */
function boxAfter({ type, data, on }: ChainedEvent, box: DropBoxRecord): Change | undefined {
  switch (type) {
    case "dropBox.urlIssued":
      return {};
    case "dropBox.closing": {
      const { reason } = z.object({ reason: closeReason }).parse(data);
      return { sender: { ...box, state: "closing", closing: { on, reason } } };
    }
    // What it says stands in `dropBox.closed` too; by itself it would seal the box.
    case "dropBox.emptied":
      return {};
    case "dropBox.closed":
      return { sender: { ...box, emptied: found(data), state: "closed", closedOn: on } };
    default:
      return undefined;
  }
}

const counts = z.object({ files: z.int(), bytes: z.int(), refused: z.array(z.string()) });

function found(data: unknown): NonNullable<DropBoxRecord["emptied"]> {
  const { files, bytes, refused } = counts.parse(data);
  const byCode = refused.map((each) => {
    const [code, count] = each.split(":");
    return { code, files: Number(count) };
  });
  return { files, bytes, refused: refusedFiles.parse(byCode) };
}

const creation = z.object({
  bundleId,
  mode,
  sizeBytes: z.int(),
  account: z.string().min(1),
  landing: z.string().min(1),
  purgeOn: utcTime,
  decisionId: guid,
  basis: z.enum(["proactive", "operator"]),
  decidedOn: utcTime,
  purposes: z.array(purpose),
  termsVersion: z.string(),
  collectedOn: utcTime,
  logsFrom: utcTime.optional(),
  logsTo: utcTime.optional(),
  stampVersion: z.string().optional(),
});
const triggered = z.object({ raisedOn: utcTime, faultId: z.string().default(untold) });
const carried = z.object({ signedOn: utcTime, keyId, carriedBy: z.string() });

/** Its file's name and the digest of its request are in no event: the same create again is refused as another bundle. */
function created({ data, on }: ChainedEvent, sender: SenderRecord): BundleRecord {
  const { decisionId, basis, decidedOn, purposes, termsVersion, ...facts } = creation.parse(data);
  // A box's times are its bundles' (`operations/dropBoxes/copyFile.ts`).
  const createdOn = sender.kind === "stamp" ? on : sender.createdOn;
  const trigger = triggered.safeParse(data).data;
  const custody = carried.safeParse(data).data;
  return {
    ...facts,
    stampId: sender.stampId,
    state: "created",
    ...(sender.kind === "stamp"
      ? { fileName: `${facts.bundleId}.zip`, contentType: "application/zip" }
      : { fileName: facts.bundleId, contentType: "application/octet-stream", caseNumber: sender.caseNumber }),
    createdOn,
    deleteBy: deleteBy(new Date(createdOn)),
    consentDecision: { decisionId, basis, decidedOn, purposes, termsVersion },
    links: [],
    ...(trigger === undefined ? {} : { trigger }),
    ...(custody === undefined ? {} : { custody: { ...custody, importedOn: on } }),
    requestDigest: untold,
    consentEpoch: sender.consentEpoch,
    uploadEpoch: sender.uploadEpoch,
  };
}

/** Neither is there of what came by a drop box. */
const submitted = z.object({ sha256: z.string().optional(), etag: z.string().optional() });
const delayed = z.object({ attempts: z.int(), nextAttemptOn: utcTime, error: z.string() });
const erasing = z.object({ dueOn: utcTime, decidedBy: z.string() });

function bundleAfter({ type, data, on, partition, seq, hash }: ChainedEvent, bundle: BundleRecord): BundleRecord {
  switch (type) {
    case "bundle.submitted": {
      const { etag, ...said } = submitted.parse(data);
      const pinned = etag === undefined ? {} : { submittedEtag: etag };
      return { ...bundle, ...said, ...pinned, state: "submitted", submittedOn: on, verification: { attempts: 0 } };
    }
    case "bundle.accepted": {
      const said = z.object({ sha256: z.string().optional() }).parse(data);
      const verification = { attempts: attemptsOf(bundle) + 1 };
      return { ...bundle, ...said, state: "accepted", acceptedOn: on, verification };
    }
    case "bundle.rejected": {
      const { rejection: code } = z.object({ rejection: rejectionCode }).parse(data);
      const rejection = { code, message: untold };
      const verification = { attempts: attemptsOf(bundle) + (code === "Unverifiable" ? 0 : 1) };
      return { ...bundle, state: "rejected", rejection, verification, purge: { basis: "rejected", intendedOn: on } };
    }
    case "bundle.canceled":
      return ended(bundle, "canceled", new Date(on));
    case "bundle.expired":
      return ended(bundle, "expired", new Date(on));
    case "bundle.verificationDelayed": {
      const { attempts, nextAttemptOn, error } = delayed.parse(data);
      return { ...bundle, verification: { attempts, nextAttemptOn, lastError: { code: error, message: untold } } };
    }
    case "bundle.erasureRequested": {
      const { dueOn, decidedBy } = erasing.parse(data);
      return { ...bundle, erasure: { requestedOn: on, dueOn, requestedBy: decidedBy, reasonNote: randomUUID() } };
    }
    case "bundle.erasureCanceled": {
      const { erasure: _taken, ...rest } = bundle;
      return rest;
    }
    case "bundle.purgeReconsidered": {
      const { caseClosedDueOn: _former, ...rest } = bundle;
      return { ...rest, ...z.object({ caseClosedDueOn: utcTime.optional() }).parse(data) };
    }
    case "bundle.purgeIntended":
      return { ...bundle, purge: { ...z.object({ basis: purgeBasis }).parse(data), intendedOn: on } };
    case "bundle.purged": {
      const { basis, toState } = z.object({ basis: purgeBasis, toState: bundleState }).parse(data);
      const intendedOn = bundle.purge?.intendedOn ?? on;
      const ledger = { partition, seq, hash };
      return { ...bundle, state: toState, purge: { basis, intendedOn, deletedOn: on, ledger } };
    }
    case "bundle.caseAdded": {
      const { caseNumber: added } = z.object({ caseNumber }).parse(data);
      const others = bundle.links.filter((link) => link.caseNumber !== added);
      return { ...bundle, links: [...others, { caseNumber: added, linkedOn: on }] };
    }
    case "bundle.caseRemoved": {
      const { caseNumber: removed } = z.object({ caseNumber }).parse(data);
      return { ...bundle, links: bundle.links.filter((link) => link.caseNumber !== removed) };
    }
    case "bundle.accessed":
      return "pathDigest" in data ? { ...bundle, isLentInParts: true } : bundle;
    default:
      return bundle;
  }
}

const attemptsOf = (bundle: BundleRecord): number => bundle.verification?.attempts ?? 0;

const accessing = z.object({
  stampId,
  bundleId,
  caseNumber,
  grantId,
  purpose,
  pathDigest: z.string().optional(),
});

/** The rows beside the bundle's own. */
function besides({ type, data, on, actor }: ChainedEvent): Change {
  const accessAt = (kind: AccessRecord["kind"]): AccessRecord => ({
    ...accessing.parse(data),
    kind,
    accessId: randomUUID(),
    on,
    accessor: subjectId.parse(actor.id),
  });
  switch (type) {
    case "bundle.accessed":
      return { access: accessAt("read") };
    case "bundle.listed": {
      const access = accessAt("list");
      const { bundleId, accessor: subject } = access;
      return { access, listing: { day: utcDay(new Date(on)), bundleId, subject } };
    }
    case "bundle.caseAdded":
      return { lentTo: z.object({ caseNumber }).parse(data).caseNumber };
    default:
      return {};
  }
}
