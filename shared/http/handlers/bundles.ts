import type { Bundle } from "../../api/bundles.ts";
import { refuseStorm } from "../../operations/bundles/admission.ts";
import { cancelBundle } from "../../operations/bundles/cancelBundle.ts";
import { asked, createBundle } from "../../operations/bundles/createBundle.ts";
import { certifyDeletion } from "../../operations/bundles/deletionCertificate.ts";
import { cancelErasure, eraseBundle } from "../../operations/bundles/eraseBundle.ts";
import { listBundles, readBundle, readVerification, renewUpload } from "../../operations/bundles/readBundles.ts";
import { submitBundle } from "../../operations/bundles/submitBundle.ts";
import type { World } from "../../operations/needs.ts";
import { type Answer, acceptedResult, page, putResult, resource } from "../answer.ts";
import { apiVersion, gated } from "../serve.ts";
import { asStamp, type HandlersFor, known, pageOf } from "./handler.ts";

/** Seconds after which asking for the verification makes sense. */
const askAgainSeconds = 1;

export const bundleHandlers = (world: World): HandlersFor<"Bundles"> => ({
  Bundles_List: async (call) =>
    page(await listBundles(world, known(call.caller), call.params.stampId, pageOf(call), call.query)),
  Bundles_Get: async ({ caller, params }) =>
    resource(await readBundle(world, known(caller), params.stampId, params.bundleId)),
  Bundles_Put: gated(
    ({ caller, params, body }) => refuseStorm(world, asStamp(caller), params.bundleId, body),
    async ({ caller, params, body, ifMatch }) => {
      const { bundle, created } = await createBundle(world, asStamp(caller), params.bundleId, asked(body), { ifMatch });
      return putResult(bundle, created);
    },
  ),
  Bundles_RenewUpload: async ({ caller, params }) =>
    resource(await renewUpload(world, asStamp(caller), params.bundleId)),
  Bundles_Submit: async ({ caller, params, body }) => {
    const bundle = await submitBundle(world, asStamp(caller), params.bundleId, body);
    return submittedResult(world, bundle, "bundles");
  },
  Bundles_GetVerification: async ({ caller, params }) =>
    resource(await readVerification(world, known(caller), params.stampId, params.bundleId)),
  Bundles_Cancel: async ({ caller, params }) => resource(await cancelBundle(world, asStamp(caller), params.bundleId)),
  Bundles_Erase: async ({ caller, params, body }) =>
    acceptedResult(await eraseBundle(world, asStamp(caller), params.bundleId, body)),
  Bundles_CancelErase: async ({ caller, params, body }) =>
    resource(await cancelErasure(world, asStamp(caller), params.bundleId, body)),
  Bundles_GetDeletionCertificate: async ({ params }) =>
    resource(await certifyDeletion(world, params.stampId, params.bundleId)),
});

/** The answer to a submit, with where to ask for the verdict: on the road that the bundle came by. */
export const submittedResult = ({ rules }: Pick<World, "rules">, bundle: Bundle, road: "bundles" | "imports"): Answer =>
  acceptedResult(bundle, {
    "operation-location": `${rules.publicOrigin}/stamps/${bundle.stampId}/${road}/${bundle.bundleId}/verification?api-version=${apiVersion}`,
    "retry-after": String(askAgainSeconds),
  });
