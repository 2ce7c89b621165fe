import { verifyKeyProof } from "../../auth/keyProof.ts";
import { approveAccess, denyAccess } from "../../operations/approvals/answerRequest.ts";
import { listRequests } from "../../operations/approvals/listRequests.ts";
import { readAccessApproval, setAccessApproval } from "../../operations/approvals/setAccessApproval.ts";
import { decideConsent } from "../../operations/consents/decideConsent.ts";
import { listDecisions, readConsent } from "../../operations/consents/readConsent.ts";
import type { World } from "../../operations/needs.ts";
import { checkUpload } from "../../operations/stamps/checkUpload.ts";
import { disableStamp, enableStamp } from "../../operations/stamps/disableStamp.ts";
import { listAccessGrants } from "../../operations/stamps/listAccessGrants.ts";
import { listAccesses, listStamps, readCollectionOptions, readStamp } from "../../operations/stamps/readStamps.ts";
import { registerStamp } from "../../operations/stamps/registerStamp.ts";
import { rotateKey } from "../../operations/stamps/rotateKey.ts";
import { page, putResult, resource } from "../answer.ts";
import { asStamp, type HandlersFor, known, pageOf } from "./handler.ts";

export const stampHandlers = (
  world: World,
): HandlersFor<"Stamps" | "AccessApproval" | "AccessRequests" | "Consents"> => ({
  Stamps_List: async (call) => page(await listStamps(world, pageOf(call))),
  Stamps_Get: async ({ caller, params }) => resource(await readStamp(world, known(caller), params.stampId)),
  Stamps_Put: async ({ caller, params, body, condition }) => {
    const { stamp, created } = await registerStamp(world, known(caller), params.stampId, body, condition);
    return putResult(stamp, created);
  },
  Stamps_RotateKey: async ({ caller, params, body }) => {
    await verifyKeyProof(body.proof, { jwk: body.jwk, stampId: params.stampId, keyId: body.keyId });
    return resource(await rotateKey(world, asStamp(caller), body));
  },
  Stamps_Disable: async ({ caller, params, body }) =>
    resource(await disableStamp(world, known(caller), params.stampId, body.reason)),
  Stamps_Enable: async ({ caller, params }) => resource(await enableStamp(world, known(caller), params.stampId)),
  Stamps_GetCollectionOptions: async ({ caller, params }) =>
    resource(await readCollectionOptions(world, known(caller), params.stampId)),
  Stamps_CheckUpload: async ({ caller, body }) => resource(await checkUpload(world, asStamp(caller), body)),
  Stamps_ListAccesses: async (call) =>
    page(await listAccesses(world, known(call.caller), call.params.stampId, pageOf(call))),
  Stamps_ListAccessGrants: async (call) =>
    page(await listAccessGrants(world, known(call.caller), call.params.stampId, pageOf(call))),
  AccessApproval_Get: async ({ caller, params }) =>
    resource(await readAccessApproval(world, known(caller), params.stampId)),
  AccessApproval_Put: async ({ caller, body, condition }) =>
    resource(await setAccessApproval(world, asStamp(caller), body, condition)),
  AccessRequests_List: async (call) =>
    page(await listRequests(world, known(call.caller), call.params.stampId, pageOf(call))),
  AccessRequests_Approve: async ({ caller, params, body }) =>
    resource(await approveAccess(world, asStamp(caller), params.grantId, body)),
  AccessRequests_Deny: async ({ caller, params, body }) =>
    resource(await denyAccess(world, asStamp(caller), params.grantId, body)),
  Consents_Get: async ({ caller, params }) => resource(await readConsent(world, known(caller), params.stampId)),
  Consents_Put: async ({ caller, body, condition }) =>
    resource(await decideConsent(world, asStamp(caller), body, condition)),
  Consents_ListDecisions: async (call) =>
    page(await listDecisions(world, known(call.caller), call.params.stampId, pageOf(call))),
});
