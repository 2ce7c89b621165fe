import * as z from "zod";
import { approvalMode } from "./approvals.ts";
import { guid, keyId, list, stampId, stampVersion, text, utcTime } from "./primitives.ts";
import { publicJwk } from "./publicJwk.ts";

/** `/subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.AzureStack/registrations/{name}` (`DOMAIN.md`). */
const registrationResourceId = z
  .string()
  .max(1024)
  .regex(
    /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[-\w.()]{1,90}\/providers\/Microsoft\.AzureStack\/registrations\/[-\w.]{1,260}$/i,
    "must be a registration's resource id: /subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.AzureStack/registrations/{name}",
  );

export const cloud = z.enum(["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]);
export const disabledReason = z.enum(["lost", "compromised", "decommissioned"]);

const validity = { notBefore: utcTime.optional(), notAfter: utcTime.optional() };

const registeredKey = z
  .strictObject({ keyId, jwk: publicJwk, ...validity })
  .refine(
    (key) =>
      key.notBefore === undefined || key.notAfter === undefined || Date.parse(key.notBefore) < Date.parse(key.notAfter),
    {
      error: "must be later than notBefore",
      path: ["notAfter"],
    },
  );

export const registration = z
  .strictObject({
    displayName: text,
    stampVersion,
    deploymentId: guid,
    cloud,
    geography: text,
    registrationResourceId,
    keys: list(registeredKey).refine((keys) => new Set(keys.map((key) => key.keyId)).size === keys.length, {
      error: "must not name a keyId twice",
    }),
  })
  .meta({ id: "Registration" });
export type Registration = z.infer<typeof registration>;

export const keyRotation = z
  .strictObject({
    keyId,
    jwk: publicJwk,
    proof: z.string().min(1).max(4096).describe("Compact JWS by the new key with the payload {stampId, keyId}."),
    retireCurrentOn: utcTime.optional(),
  })
  .meta({ id: "KeyRotation" });
export type KeyRotation = z.infer<typeof keyRotation>;

export const disabling = z.strictObject({ reason: disabledReason }).meta({ id: "Disabling" });

export const stampKey = z
  .object({
    keyId,
    jwk: publicJwk,
    state: z.enum(["active", "retired"]),
    addedBy: z.enum(["registration", "rotation"]),
    ...validity,
  })
  .meta({ id: "StampKey" });

export const stamp = z
  .object({
    stampId,
    displayName: text,
    stampVersion,
    deploymentId: guid,
    cloud,
    geography: text,
    registrationResourceId: z.string(),
    registrationGeneration: z.int().min(1),
    state: z.enum(["enabled", "disabled"]),
    disabledReason: disabledReason.optional(),
    keys: z.array(stampKey),
    createdOn: utcTime,
    accessApproval: approvalMode,
    updatedOn: utcTime,
  })
  .meta({ id: "Stamp" });
export type Stamp = z.infer<typeof stamp>;

const option = z
  .object({ available: z.boolean(), recommended: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: "CollectionOption" });

export const collectionOptions = z
  .object({ proactive: option, sendNow: option, saveLocally: option, privilegedEndpoint: option })
  .meta({ id: "CollectionOptions" });
export type CollectionOptions = z.infer<typeof collectionOptions>;
