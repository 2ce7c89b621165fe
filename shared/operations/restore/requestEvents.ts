import * as z from "zod";
import { caseNumber, grantId, stampId, utcTime } from "../../api/primitives.ts";
import type { RequestRecord } from "../../domain/approval.ts";
import type { ChainedEvent } from "../../domain/event.ts";
import type { StampChange } from "../needs.ts";

/** What events say of the access that a stamp was asked to approve. */

const asked = z.object({ stampId, caseNumber, grantId, requestedOn: utcTime, askedDigest: z.string().optional() });
const answered = z.object({ decidedBy: z.string() });

/** The request that the event is about. */
export const requestOf = ({ type, data }: ChainedEvent) =>
  type.startsWith("access.") ? z.object({ grantId }).parse(data).grantId : undefined;

/** Undefined for every other event. An operator's reason is in no event. */
export function requestAfter(
  { type, data, on }: ChainedEvent,
  standing: RequestRecord | undefined,
): Pick<StampChange, "request"> | undefined {
  if (type === "access.requested") return { request: { from: undefined, to: asked.parse(data) } };
  if (!type.startsWith("access.")) return undefined;
  if (standing === undefined) throw new TypeError(`${type} of access that was not asked for`);
  const to = (change: Partial<RequestRecord>) => ({ request: { from: standing, to: { ...standing, ...change } } });
  switch (type) {
    case "access.approved":
      return to({ answer: { outcome: "approved", on, ...answered.parse(data) } });
    case "access.denied":
      return to({ answer: { outcome: "denied", on, ...answered.parse(data) } });
    default:
      return to({ closedOn: on });
  }
}
