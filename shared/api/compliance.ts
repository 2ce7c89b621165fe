import * as z from "zod";
import { bundleState, purgeBasis } from "./bundles.ts";
import { bundleId, sha256Hex, stampId, text, utcTime } from "./primitives.ts";

export const ledgerEvent = z
  .object({
    partition: z.string(),
    seq: z.int().min(1),
    on: utcTime,
    type: z.string(),
    actor: z.object({ kind: z.enum(["stamp", "person", "service"]), id: z.string() }),
    data: z.record(z.string(), z.unknown()),
    prevHash: sha256Hex,
    hash: sha256Hex,
  })
  .meta({ id: "Event" });
export type LedgerEvent = z.infer<typeof ledgerEvent>;

/** `stamps/{stampId}`, `cases/{caseNumber}` or `service`. */
export const ledgerPartition = text
  .regex(
    /^(service|stamps\/[0-9a-fA-F-]{36}|cases\/[0-9]{15,19})$/,
    "must be service, stamps/{stampId} or cases/{caseNumber}",
  )
  .toLowerCase();

export const retention = z
  .object({
    asOf: utcTime,
    freshAsOf: utcTime,
    reconciledOn: utcTime
      .optional()
      .describe("When the accounts were last compared with the tables; its findings are among the violations."),
    settings: z.record(z.string(), z.union([z.string(), z.number()])),
    bundlesByState: z.partialRecord(bundleState, z.int()),
    bytesHeld: z.int(),
    oldestByte: z.object({ createdOn: utcTime, ageDays: z.number(), stampId, bundleId }).optional(),
    daysHeld: z.int(),
    days: z.array(
      z.object({
        day: z.string(),
        created: z.int(),
        bytes: z.int(),
        byState: z.partialRecord(bundleState, z.int()),
        purgeOn: utcTime,
        purgedOn: utcTime.optional(),
        purgedBy: z.partialRecord(purgeBasis, z.int()),
      }),
    ),
    violations: z.array(
      z.object({
        code: z.string(),
        message: z.string(),
        since: utcTime,
        stampId: stampId.optional(),
        bundleId: bundleId.optional(),
        container: z.string().optional(),
      }),
    ),
    consentCoverage: z.object({ bundles: z.int(), covered: z.int() }),
    accesses: z.object({ byPurpose: z.record(z.string(), z.int()), outsideSupportCase: z.int() }),
  })
  .meta({ id: "Retention" });
export type Retention = z.infer<typeof retention>;

export const checkpoint = z
  .object({
    seq: z.int().min(1),
    sealedOn: utcTime,
    checkpoint: z.string().describe("Compact JWS, typ checkpoint+jwt."),
  })
  .meta({ id: "Checkpoint" });
export type Checkpoint = z.infer<typeof checkpoint>;

/** What a checkpoint says of one partition; the bytes in its tree are the RFC 8785 form. */
export const leaf = z.object({ partition: z.string(), seq: z.int().min(1), hash: sha256Hex }).meta({ id: "Leaf" });

export const inclusionProof = z
  .object({
    leaf,
    index: z.int().min(0),
    path: z.array(z.string()).describe("RFC 6962 audit path, hex, from the leaf upwards."),
  })
  .meta({ id: "InclusionProof" });
export type InclusionProof = z.infer<typeof inclusionProof>;

export const checkpointSeq = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, "must be the seq of a checkpoint")
  .transform(Number);
