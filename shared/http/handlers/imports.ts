import {
  importBundle,
  readImport,
  readImportVerification,
  refuseImportStorm,
  submitImport,
} from "../../operations/bundles/importBundle.ts";
import type { World } from "../../operations/needs.ts";
import { putResult, resource } from "../answer.ts";
import { gated } from "../serve.ts";
import { submittedResult, verificationResult } from "./bundles.ts";
import { asCarrier, type HandlersFor } from "./handler.ts";

export const importHandlers = (world: World): HandlersFor<"Imports"> => ({
  Imports_Get: async ({ caller }) => resource(await readImport(world, asCarrier(caller))),
  Imports_Put: gated(
    ({ caller }) => refuseImportStorm(world, asCarrier(caller)),
    async ({ caller, body, condition }) => {
      const { bundle, created } = await importBundle(world, asCarrier(caller), body, condition);
      return putResult(bundle, created);
    },
  ),
  Imports_Submit: async ({ caller }) => submittedResult(world, await submitImport(world, asCarrier(caller)), "imports"),
  Imports_GetVerification: async ({ caller }) =>
    verificationResult(await readImportVerification(world, asCarrier(caller))),
});
