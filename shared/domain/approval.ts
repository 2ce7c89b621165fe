import * as z from "zod";
import type { ApprovalMode } from "../api/approvals.ts";
import {
  caseNumber,
  grantId,
  guid,
  type StampId,
  stampId,
  toUtcTime,
  type UtcTime,
  utcTime,
} from "../api/primitives.ts";
import { DomainError } from "../errors.ts";
import { askedDigest, type GrantRecord, grantExpiry, isPending } from "./grant.ts";
import type { StampRecord, StandingApproval } from "./stamp.ts";

/** The customer's approval of access (`docs/decisions/approval.md`): a grant needs it of every stamp that asked for it when the grant was asked for. */

/** How long a request waits before it lapses. */
const daysToAnswer = 4;

export const lapsesOn = (requestedOn: Date): UtcTime =>
  toUtcTime(new Date(requestedOn.getTime() + daysToAnswer * 86_400_000));

/** What a stamp was asked, and what its operator answered: a row of the stamp's own partition. */
export const requestRecord = z.object({
  grantId,
  caseNumber,
  stampId,
  requestedOn: utcTime,
  /** Of what the operator is shown (`askedDigest`); absent on a request from before it was kept, which approves nothing. */
  askedDigest: z.string().optional(),
  answer: z
    .object({
      outcome: z.enum(["approved", "denied"]),
      on: utcTime,
      decidedBy: z.string(),
      reasonNote: guid.optional(),
    })
    .optional(),
  /** When it was seen that the grant had ended unanswered. */
  closedOn: utcTime.optional(),
});
export type RequestRecord = z.infer<typeof requestRecord>;

export const isOpen = ({ answer, closedOn }: RequestRecord): boolean => answer === undefined && closedOn === undefined;

/**
 * The request, where the stamp was asked for just this grant. The engineer chooses the grant's id, so that another case's grant may have the same
 * one: an answer counts only for what the operator was shown.
 */
export const requestOfGrant = (grant: GrantRecord, request: RequestRecord | undefined): RequestRecord | undefined =>
  request?.askedDigest === askedDigest(grant) ? request : undefined;

/** The stamp under its operator's decision; undefined where that stands already. */
export function setApproval(
  stamp: StampRecord,
  { mode, decidedBy }: { readonly mode: ApprovalMode; readonly decidedBy: string },
  now: Date,
): (StampRecord & { accessApproval: StandingApproval }) | undefined {
  const standing = stamp.accessApproval;
  if (standing?.mode === mode && standing.decidedBy === decidedBy) return undefined;
  const decidedOn = toUtcTime(now);
  const requiredSince = mode === "required" ? (standing?.requiredSince ?? decidedOn) : undefined;
  const accessApproval = { mode, decidedBy, decidedOn, ...(requiredSince === undefined ? {} : { requiredSince }) };
  return { ...stamp, accessApproval, updatedOn: decidedOn };
}

/** The grant once all have approved; it counts from the last of them, however late that is noticed. */
export function activate(
  grant: GrantRecord,
  requests: readonly (RequestRecord | undefined)[],
): GrantRecord | undefined {
  if (grant.approval === undefined || !isPending(grant)) return undefined;
  const answers = requests.map((each) => requestOfGrant(grant, each)?.answer);
  const approvals = answers.map((answer) => (answer?.outcome === "approved" ? answer.on : undefined));
  const times = approvals.filter((on) => on !== undefined).map((on) => Date.parse(on));
  if (times.length < approvals.length || times.length === 0) return undefined;
  const last = new Date(Math.max(...times));
  const approvedOn = toUtcTime(last);
  return {
    ...grant,
    startsOn: approvedOn,
    expiresOn: grantExpiry(last, grant.durationMinutes),
    approval: { ...grant.approval, approvedOn },
  };
}

/**
 * Throws unless the stamp lets the grant be used, as its partition has it: approved and not taken back, or given before approval was asked for.
 * `request` is what the stamp was asked under the grant's id.
 */
export function requireApproved(
  grant: GrantRecord,
  stampId: StampId,
  stamp: StampRecord | undefined,
  request: RequestRecord | undefined,
): void {
  if (grant.approval?.stampIds.includes(stampId)) {
    const answer = requestOfGrant(grant, request)?.answer;
    if (answer?.outcome === "approved") return;
    throw answer === undefined
      ? notApproved("approvalRequired", "The operator of the stamp has not approved what this grant asks for.")
      : notApproved("denied", "The operator of the stamp has taken the approval back.");
  }
  const since = stamp?.accessApproval?.requiredSince;
  if (since === undefined || Date.parse(grant.startsOn) < Date.parse(since)) return;
  throw notApproved("approvalRequired", "The stamp began to ask for approval just when the grant was given.");
}

const notApproved = (code: string, message: string): DomainError =>
  new DomainError(
    "GrantNotActive",
    "The customer has not approved this access. Ask for a new grant if the case still needs it.",
    { details: [{ code, message }] },
  );
