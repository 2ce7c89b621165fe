import { listGrants, putGrant, readGrant, revokeGrant } from "../../operations/cases/grants.ts";
import { issueUrl } from "../../operations/cases/issueUrl.ts";
import { linkByRequest, unlinkByRequest } from "../../operations/cases/links.ts";
import { putCase } from "../../operations/cases/putCase.ts";
import { listCandidates, listCaseBundles, listCases, readCase } from "../../operations/cases/readCases.ts";
import type { World } from "../../operations/needs.ts";
import { nothing, page, plain, putResult, resource } from "../answer.ts";
import { asToken, type HandlersFor, known, pageOf } from "./handler.ts";

export const caseHandlers = (world: World): HandlersFor<"Cases"> & HandlersFor<"Grants"> => ({
  Cases_List: async (call) => page(await listCases(world, known(call.caller), pageOf(call), call.query)),
  Cases_Get: async ({ caller, params }) => resource(await readCase(world, known(caller), params.caseNumber)),
  Cases_Put: async ({ caller, params, body, ifMatch }) => {
    const { case: record, created } = await putCase(world, asToken(caller), params.caseNumber, body, { ifMatch });
    return putResult(record, created);
  },
  Cases_ListBundles: async (call) => {
    const list = call.query.candidates === "true" ? listCandidates : listCaseBundles;
    return page(await list(world, known(call.caller), call.params.caseNumber, pageOf(call)));
  },
  Cases_LinkBundle: async ({ caller, params, ifMatch }) => {
    const { link, created } = await linkByRequest(world, asToken(caller), params, { ifMatch });
    return putResult(link, created);
  },
  Cases_UnlinkBundle: async ({ caller, params }) => {
    await unlinkByRequest(world, asToken(caller), params);
    return nothing;
  },
  Grants_List: async (call) => page(await listGrants(world, known(call.caller), call.params.caseNumber, pageOf(call))),
  Grants_Get: async ({ caller, params }) =>
    resource(await readGrant(world, known(caller), params.caseNumber, params.grantId)),
  Grants_Put: async ({ caller, params, body, ifMatch }) => {
    const { grant, created } = await putGrant(world, asToken(caller), params.caseNumber, params.grantId, body, {
      ifMatch,
    });
    return putResult(grant, created);
  },
  Grants_IssueUrl: async ({ caller, params, body }) => plain(await issueUrl(world, asToken(caller), params, body)),
  Grants_Revoke: async ({ caller, params }) =>
    resource(await revokeGrant(world, asToken(caller), params.caseNumber, params.grantId)),
});
