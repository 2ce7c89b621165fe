import { apiVersion } from "../../api/route.ts";
import { extractFile, readExtraction } from "../../operations/cases/extractFile.ts";
import { listGrants, putGrant, readGrant, revokeGrant } from "../../operations/cases/grants.ts";
import { issueUrl } from "../../operations/cases/issueUrl.ts";
import { linkByRequest, unlinkByRequest } from "../../operations/cases/links.ts";
import { listCandidates } from "../../operations/cases/listCandidates.ts";
import { listFiles } from "../../operations/cases/listFiles.ts";
import { putCase } from "../../operations/cases/putCase.ts";
import { listCaseBundles, listCases, readCase } from "../../operations/cases/readCases.ts";
import type { World } from "../../operations/needs.ts";
import { acceptedResult, nothing, operation, page, plain, putResult, resource } from "../answer.ts";
import { asToken, type HandlersFor, known, pageOf } from "./handler.ts";

/** Seconds after which asking for a large file makes sense. */
const askAgainSeconds = 5;

const extractionUrl = (
  origin: string,
  { caseNumber, stampId, bundleId }: { caseNumber: string; stampId: string; bundleId: string },
  id: string,
): string =>
  `${origin}/cases/${caseNumber}/stamps/${stampId}/bundles/${bundleId}/extractions/${id}?api-version=${apiVersion}`;

export const caseHandlers = (world: World): HandlersFor<"Cases"> & HandlersFor<"Files"> & HandlersFor<"Grants"> => ({
  Cases_List: async (call) => page(await listCases(world, known(call.caller), pageOf(call), call.query)),
  Cases_Get: async ({ caller, params }) => resource(await readCase(world, known(caller), params.caseNumber)),
  Cases_Put: async ({ caller, params, body, condition }) => {
    const { case: record, created } = await putCase(world, asToken(caller), params.caseNumber, body, condition);
    return putResult(record, created);
  },
  Cases_ListBundles: async (call) => {
    const list = call.query.candidates === "true" ? listCandidates : listCaseBundles;
    return page(await list(world, known(call.caller), call.params.caseNumber, pageOf(call)));
  },
  Cases_LinkBundle: async ({ caller, params, condition }) => {
    const { link, created } = await linkByRequest(world, asToken(caller), params, condition);
    return putResult(link, created);
  },
  Cases_UnlinkBundle: async ({ caller, params }) => {
    await unlinkByRequest(world, asToken(caller), params);
    return nothing;
  },
  Files_List: async (call) => page(await listFiles(world, asToken(call.caller), call.params, pageOf(call), call.query)),
  Files_Extract: async ({ caller, params, body }) => {
    const extraction = await extractFile(world, asToken(caller), params, body);
    if (extraction.status !== "Running") return plain(extraction);
    return acceptedResult(extraction, {
      "operation-location": extractionUrl(world.rules.publicOrigin, params, extraction.id),
      "retry-after": String(askAgainSeconds),
    });
  },
  Files_GetExtraction: async ({ caller, params }) =>
    operation(await readExtraction(world, asToken(caller), params), askAgainSeconds),
  Grants_List: async (call) => page(await listGrants(world, known(call.caller), call.params.caseNumber, pageOf(call))),
  Grants_Get: async ({ caller, params }) =>
    resource(await readGrant(world, known(caller), params.caseNumber, params.grantId)),
  Grants_Put: async ({ caller, params, body, condition }) => {
    const { grant, created } = await putGrant(
      world,
      asToken(caller),
      params.caseNumber,
      params.grantId,
      body,
      condition,
    );
    return putResult(grant, created);
  },
  Grants_IssueUrl: async ({ caller, params, body }) => plain(await issueUrl(world, asToken(caller), params, body)),
  Grants_Revoke: async ({ caller, params }) =>
    resource(await revokeGrant(world, asToken(caller), params.caseNumber, params.grantId)),
});
