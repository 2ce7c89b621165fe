import * as z from "zod";
import { access } from "../bundles.ts";
import {
  checkpoint,
  checkpointSeq,
  inclusionProof,
  leaf,
  ledgerEvent,
  ledgerPartition,
  retention,
} from "../compliance.ts";
import { pageOf, pageQuery, utcTime } from "../primitives.ts";
import { route } from "../route.ts";
import { get, nothing, page } from "./common.ts";

/** What an auditor reads. */

const ofCheckpoint = z.object({ seq: checkpointSeq });

export const complianceRoutes = {
  Compliance_GetRetention: route({
    ...get,
    operationId: "Compliance_GetRetention",
    path: "/compliance/retention",
    who: ["A"],
    summary: "The retention report; as CSV a table of its days.",
    params: nothing,
    query: z.object({ format: z.enum(["json", "csv"]).optional() }),
    result: retention,
    alsoCsv: true,
  }),
  Compliance_ListEvents: route({
    ...get,
    operationId: "Compliance_ListEvents",
    path: "/compliance/events",
    who: ["A"],
    summary: "The ledger, by partition and sequence number.",
    params: nothing,
    query: z.object({ ...pageQuery, partition: ledgerPartition.optional() }),
    result: pageOf(ledgerEvent),
  }),
  Compliance_ListAccesses: route({
    ...get,
    operationId: "Compliance_ListAccesses",
    path: "/compliance/accesses",
    who: ["A"],
    summary: "Every access, newest first.",
    params: nothing,
    query: z.object({ ...pageQuery, from: utcTime.optional(), to: utcTime.optional() }),
    result: pageOf(access),
  }),
  Compliance_ListCheckpoints: route({
    ...get,
    operationId: "Compliance_ListCheckpoints",
    path: "/compliance/checkpoints",
    who: ["A"],
    summary: "Sealed checkpoints, oldest first.",
    params: nothing,
    query: page,
    result: pageOf(checkpoint),
  }),
  Compliance_ListLeaves: route({
    ...get,
    operationId: "Compliance_ListLeaves",
    path: "/compliance/checkpoints/{seq}/leaves",
    who: ["A"],
    summary: "The leaves of a checkpoint's tree, in its order.",
    params: ofCheckpoint,
    query: page,
    result: pageOf(leaf),
  }),
  Compliance_GetProof: route({
    ...get,
    operationId: "Compliance_GetProof",
    path: "/compliance/checkpoints/{seq}/proof",
    who: ["A"],
    summary: "That a partition's head is in a checkpoint's tree.",
    params: ofCheckpoint,
    query: z.object({ partition: ledgerPartition }),
    result: inclusionProof,
  }),
};
