import * as z from "zod";
import { roles } from "./bundles.ts";
import { bundleId, caseNumber, grantId, guid, list, purpose, stampId, text, utcTime } from "./primitives.ts";

export const caseKind = z.enum(["support", "productHealth"]);
export const caseState = z.enum(["open", "closed"]);

const unique = (ids: readonly string[]) => new Set(ids).size === ids.length;

export const caseUpdate = z
  .strictObject({
    revision: z.int().min(0),
    kind: caseKind,
    state: caseState,
    stampIds: list(stampId).refine(unique, { error: "must not name a stamp twice" }),
    assignees: list(guid).refine(unique, { error: "must not name a person twice" }),
    title: text.optional(),
  })
  .meta({ id: "CaseUpdate" });
export type CaseUpdate = z.infer<typeof caseUpdate>;

export const supportCase = z
  .object({
    caseNumber,
    revision: z.int(),
    kind: caseKind,
    state: caseState,
    stampIds: z.array(stampId),
    assignees: z.array(z.string()),
    title: text.optional(),
    closedOn: utcTime.optional(),
    createdOn: utcTime,
    updatedOn: utcTime,
  })
  .meta({ id: "Case" });
export type SupportCase = z.infer<typeof supportCase>;

export const link = z.object({ caseNumber, stampId, bundleId, linkedOn: utcTime }).meta({ id: "Link" });
export type Link = z.infer<typeof link>;

const bundleReference = z.strictObject({ stampId, bundleId });

export const grantRequest = z
  .strictObject({
    bundles: list(bundleReference)
      .min(1, "must name at least one bundle")
      .refine((bundles) => unique(bundles.map((each) => `${each.stampId}/${each.bundleId}`)), {
        error: "must not name a bundle twice",
      }),
    purpose,
    justification: text,
    durationMinutes: z.int().min(15).max(480),
    roles: roles.optional().describe("Lends only these roles' zips and files, never the whole bundle."),
  })
  .meta({ id: "GrantRequest" });
export type GrantRequest = z.infer<typeof grantRequest>;

/** Why a grant has ended before its time, or with it. */
export const endReason = z.enum([
  "expired",
  "caseClosed",
  "unassigned",
  "revoked",
  "stampDisabled",
  "bundleErased",
  "bundlePurged",
  "denied",
  "approvalLapsed",
  "grantConflict",
]);

export const grant = z
  .object({
    grantId,
    caseNumber,
    grantee: z.string(),
    state: z.enum(["pendingApproval", "active", "ended"]),
    purpose,
    justification: text.optional(),
    bundles: z.array(z.object({ stampId, bundleId })),
    roles: z.array(z.string()).optional(),
    startsOn: utcTime,
    expiresOn: utcTime,
    ended: z
      .object({
        on: utcTime,
        reason: endReason,
        message: z
          .string()
          .optional()
          .describe(
            "Where it was denied: the operator's own words, to those who know the case, as long as they are kept.",
          ),
      })
      .optional(),
    approval: z
      .object({ stampIds: z.array(stampId), requestedOn: utcTime, lapsesOn: utcTime, approvedOn: utcTime.optional() })
      .optional()
      .describe("Where stamps' operators have to approve: which stamps, until when, and when the last of them had."),
  })
  .meta({ id: "Grant" });
export type Grant = z.infer<typeof grant>;

/** A grant as the stamp sees it whose bundles it lends: without the engineer's words, and of its bundles alone. */
export const stampGrant = grant
  .omit({ justification: true })
  .extend({ grantee: z.string().describe("A pseudonym to the stamp, the object id to an auditor.") })
  .meta({ id: "StampGrant" });
export type StampGrant = z.infer<typeof stampGrant>;

export const urlRequest = z.strictObject({ stampId, bundleId }).meta({ id: "UrlRequest" });
export const issuedUrl = z.object({ url: z.url(), expiresOn: utcTime }).meta({ id: "IssuedUrl" });
