import * as z from "zod";
import { bundleId, caseNumber, grantId, purpose, stampId, text, utcTime } from "./primitives.ts";

/** The customer's approval of each access to a stamp's bundles: whether it is asked for, what waits for it, and the answer. */

export const approvalMode = z.enum(["notRequired", "required"]);
export type ApprovalMode = z.infer<typeof approvalMode>;

export const approvalDecision = z
  .strictObject({ mode: approvalMode, decidedBy: text })
  .meta({ id: "ApprovalDecision" });
export type ApprovalDecision = z.infer<typeof approvalDecision>;

export const accessApproval = z
  .object({ mode: approvalMode, decidedBy: text.optional(), decidedOn: utcTime.optional() })
  .meta({ id: "AccessApproval", description: "Without who and when: nobody has decided yet." });
export type AccessApproval = z.infer<typeof accessApproval>;

export const approvalRequest = z.strictObject({ decidedBy: text }).meta({ id: "ApprovalRequest" });
export type ApprovalRequest = z.infer<typeof approvalRequest>;

export const denialRequest = z.strictObject({ decidedBy: text, reason: text }).meta({ id: "DenialRequest" });
export type DenialRequest = z.infer<typeof denialRequest>;

export const accessRequest = z
  .object({
    grantId,
    caseNumber,
    purpose,
    engineer: z.string().describe("A pseudonym to the stamp, the object id to an auditor."),
    justification: text.optional().describe("The engineer's own words."),
    bundles: z.array(z.object({ stampId, bundleId })).describe("The stamp's own alone."),
    roles: z.array(z.string()).optional(),
    durationMinutes: z.int().describe("How long the access is to last, from the last approval that it needs."),
    requestedOn: utcTime,
    lapsesOn: utcTime.describe("When the request ends by itself if it is not approved."),
    state: z.enum(["pending", "approved", "denied", "ended"]),
    decidedOn: utcTime.optional(),
    decidedBy: text.optional(),
  })
  .meta({ id: "AccessRequest" });
export type AccessRequest = z.infer<typeof accessRequest>;
