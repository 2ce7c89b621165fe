import * as z from "zod";
import { guid, purposes, sha256Hex, text, utcTime } from "./primitives.ts";

export const termsVersion = text.max(64);

export const consentDecision = z
  .strictObject({
    state: z.enum(["enabled", "disabled"]),
    decidedBy: text.describe("The operator who decides, in the customer's own words."),
    termsVersion,
    purposes: purposes.optional(),
  })
  .meta({ id: "ConsentDecision" });
export type ConsentDecision = z.infer<typeof consentDecision>;

export const consent = z
  .object({
    state: z.enum(["notGiven", "enabled", "disabled"]),
    decisionId: guid.optional(),
    decidedOn: utcTime.optional(),
    decidedBy: text.optional(),
    purposes: purposes.optional(),
    termsVersion: termsVersion.optional(),
    termsSha256: sha256Hex.optional(),
    registrationGeneration: z.int().min(1).optional(),
    receipt: z.string().optional().describe("Compact JWS, typ consent-receipt+jwt."),
  })
  .meta({ id: "Consent" });
export type Consent = z.infer<typeof consent>;

export const termsEntry = z
  .object({ version: termsVersion, sha256: sha256Hex, current: z.boolean() })
  .meta({ id: "Terms" });
export const termsList = z.object({ value: z.array(termsEntry) });
