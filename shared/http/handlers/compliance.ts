import type { TokenCaller } from "../../operations/caller.ts";
import { listCheckpoints, listLeaves, proveInclusion } from "../../operations/compliance/checkpoints.ts";
import { listAllAccesses } from "../../operations/compliance/listAllAccesses.ts";
import { listEvents } from "../../operations/compliance/listEvents.ts";
import { getRetention } from "../../operations/compliance/retention.ts";
import type { AuditWorld } from "../../operations/needs.ts";
import { csv, page, resource } from "../answer.ts";
import { wantsCsv } from "../csv.ts";
import { retentionTable } from "../retentionTable.ts";
import { asToken, type HandlersFor, pageOf } from "./handler.ts";

/** They are given nothing that writes, but for the one function that records an export. */
export const complianceHandlers = (
  world: AuditWorld,
  recordExport: (auditor: TokenCaller) => Promise<void>,
): HandlersFor<"Compliance"> => ({
  Compliance_GetRetention: async ({ query, accept }) => {
    const report = await getRetention(world);
    return wantsCsv(query.format, accept) ? csv(retentionTable(report)) : resource(report);
  },
  Compliance_ListEvents: async (call) =>
    page(await listEvents(world, pageOf(call), call.query.partition, () => recordExport(asToken(call.caller)))),
  Compliance_ListAccesses: async (call) => page(await listAllAccesses(world, pageOf(call), call.query)),
  Compliance_ListCheckpoints: async (call) => page(await listCheckpoints(world, pageOf(call))),
  Compliance_ListLeaves: async (call) => page(await listLeaves(world, call.params.seq, pageOf(call))),
  Compliance_GetProof: async ({ params, query }) => resource(await proveInclusion(world, params.seq, query.partition)),
});
