import { z } from "zod";
import { ledgerEvent, ledgerPartition, retention } from "../compliance.ts";
import { pageOf, pageQuery } from "../primitives.ts";
import { route } from "../route.ts";
import { get, nothing, plain } from "./common.ts";

/** What an auditor reads. */

export const complianceRoutes = {
  Compliance_GetRetention: route({
    ...get,
    ...plain,
    operationId: "Compliance_GetRetention",
    path: "/compliance/retention",
    who: ["A"],
    summary: "The retention report.",
    params: nothing,
    result: retention,
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
};
