import { z } from "zod";
import { candidate } from "../bundles.ts";
import { caseState, caseUpdate, grant, grantRequest, issuedUrl, link, supportCase, urlRequest } from "../cases.ts";
import { pageOf, pageQuery } from "../primitives.ts";
import { noBody, route } from "../route.ts";
import { action, get, nothing, ofCase, ofGrant, ofLink, page, plain, put, remove } from "./common.ts";

/** Cases, what is linked to them, and the access they give. */

const linkPath = "/cases/{caseNumber}/stamps/{stampId}/bundles/{bundleId}";
const grantPath = "/cases/{caseNumber}/accessGrants/{grantId}";

export const caseRoutes = {
  Cases_List: route({
    ...get,
    operationId: "Cases_List",
    path: "/cases",
    who: ["C", "A", "E"],
    summary: "Lists cases; an engineer's own.",
    params: nothing,
    query: z.object({ ...pageQuery, state: caseState.optional() }),
    result: pageOf(supportCase),
  }),
  Cases_Get: route({
    ...get,
    ...plain,
    operationId: "Cases_Get",
    path: "/cases/{caseNumber}",
    who: ["C", "A", "E"],
    summary: "Reads a case.",
    params: ofCase,
    result: supportCase,
  }),
  Cases_Put: route({
    ...put,
    ...plain,
    operationId: "Cases_Put",
    path: "/cases/{caseNumber}",
    who: ["C"],
    summary: "Records a case as the case system has it.",
    params: ofCase,
    body: caseUpdate,
    result: supportCase,
  }),
  Cases_ListBundles: route({
    ...get,
    operationId: "Cases_ListBundles",
    path: "/cases/{caseNumber}/bundles",
    who: ["C", "A", "E"],
    summary: "The bundles linked to a case, or those that could be.",
    params: ofCase,
    query: z.object({ ...pageQuery, candidates: z.enum(["true", "false"]).optional() }),
    result: pageOf(candidate),
  }),
  Cases_LinkBundle: route({
    ...put,
    ...plain,
    operationId: "Cases_LinkBundle",
    path: linkPath,
    who: ["C", "E"],
    summary: "Links a bundle to a case.",
    params: ofLink,
    body: noBody,
    result: link,
  }),
  Cases_UnlinkBundle: route({
    ...remove,
    ...plain,
    operationId: "Cases_UnlinkBundle",
    path: linkPath,
    who: ["C", "E"],
    summary: "Unlinks a bundle from a case.",
    params: ofLink,
  }),
  Grants_List: route({
    ...get,
    operationId: "Grants_List",
    path: "/cases/{caseNumber}/accessGrants",
    who: ["C", "A", "E"],
    summary: "Lists a case's access grants.",
    params: ofCase,
    query: page,
    result: pageOf(grant),
  }),
  Grants_Get: route({
    ...get,
    ...plain,
    operationId: "Grants_Get",
    path: grantPath,
    who: ["C", "A", "E"],
    summary: "Reads an access grant.",
    params: ofGrant,
    result: grant,
  }),
  Grants_Put: route({
    ...put,
    ...plain,
    operationId: "Grants_Put",
    path: grantPath,
    who: ["E"],
    summary: "Asks for access to bundles of a case, for a purpose and a time.",
    params: ofGrant,
    body: grantRequest,
    result: grant,
  }),
  Grants_IssueUrl: route({
    ...action,
    ...plain,
    operationId: "Grants_IssueUrl",
    path: `${grantPath}:issueUrl`,
    who: ["E"],
    summary: "A URL that reads one bundle for 15 minutes.",
    params: ofGrant,
    body: urlRequest,
    result: issuedUrl,
  }),
  Grants_Revoke: route({
    ...action,
    ...plain,
    operationId: "Grants_Revoke",
    path: `${grantPath}:revoke`,
    who: ["C", "E"],
    summary: "Ends a grant before its time.",
    params: ofGrant,
    body: noBody,
    result: grant,
  }),
};
