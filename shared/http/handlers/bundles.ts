import type { Bundle, Erasure, Verification } from "../../api/bundles.ts";
import { apiVersion } from "../../api/route.ts";
import { refuseStorm } from "../../operations/bundles/admission.ts";
import { cancelBundle } from "../../operations/bundles/cancelBundle.ts";
import { asked, createBundle } from "../../operations/bundles/createBundle.ts";
import { certifyDeletion } from "../../operations/bundles/deletionCertificate.ts";
import { asItself, cancelErasure, eraseBundle } from "../../operations/bundles/eraseBundle.ts";
import {
  listBundles,
  readBundle,
  readErasure,
  readVerification,
  renewUpload,
} from "../../operations/bundles/readBundles.ts";
import { submitBundle } from "../../operations/bundles/submitBundle.ts";
import type { World } from "../../operations/needs.ts";
import { type Answer, acceptedResult, operation, page, putResult, resource } from "../answer.ts";
import { gated } from "../serve.ts";
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
    async ({ caller, params, body, condition }) => {
      const { bundle, created } = await createBundle(world, asStamp(caller), params.bundleId, asked(body), condition);
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
    verificationResult(await readVerification(world, known(caller), params.stampId, params.bundleId)),
  Bundles_Cancel: async ({ caller, params }) => resource(await cancelBundle(world, asStamp(caller), params.bundleId)),
  Bundles_Erase: async ({ caller, params, body }) =>
    erasedResult(
      world,
      await eraseBundle(world, asItself(world, asStamp(caller)), params.bundleId, body),
      `/stamps/${params.stampId}/bundles/${params.bundleId}/erasure`,
    ),
  Bundles_GetErasure: async ({ caller, params }) =>
    erasureResult(world, await readErasure(world, known(caller), params.stampId, params.bundleId)),
  Bundles_CancelErase: async ({ caller, params, body }) =>
    resource(await cancelErasure(world, asItself(world, asStamp(caller)), params.bundleId, body)),
  Bundles_GetDeletionCertificate: async ({ params }) =>
    resource(await certifyDeletion(world, params.stampId, params.bundleId)),
});

/** The answer to a submit, with where to ask for the verdict: on the road that the bundle came by. */
export const submittedResult = (world: Pick<World, "rules">, bundle: Bundle, road: "bundles" | "imports"): Answer =>
  acceptedResult(
    bundle,
    askAt(world, `/stamps/${bundle.stampId}/${road}/${bundle.bundleId}/verification`, askAgainSeconds),
  );

export const verificationResult = (verification: Verification): Answer => operation(verification, askAgainSeconds);

/** The answer to an erasure, with the path that tells of it. */
export const erasedResult = (world: Pick<World, "clock" | "rules">, bundle: Bundle, path: string): Answer =>
  acceptedResult(bundle, askAt(world, path, secondsUntilErased(world, bundle.erasure)));

export const erasureResult = (world: Pick<World, "clock">, erasure: Erasure): Answer =>
  operation(erasure, secondsUntilErased(world, erasure));

/** Asking makes sense once it is due, and within the hour, as it may be taken back. */
function secondsUntilErased({ clock }: Pick<World, "clock">, erasure: Pick<Erasure, "dueOn"> | undefined): number {
  const leftMs = erasure === undefined ? 0 : Date.parse(erasure.dueOn) - clock.now().getTime();
  return Math.min(3600, Math.max(askAgainSeconds, Math.ceil(leftMs / 1000)));
}

/** Where long-running work tells how it stands, and after how many seconds to ask. */
const askAt = ({ rules }: Pick<World, "rules">, path: string, seconds: number) => ({
  "operation-location": `${rules.publicOrigin}${path}?api-version=${apiVersion}`,
  "retry-after": String(seconds),
});
