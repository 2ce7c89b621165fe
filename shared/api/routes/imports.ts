import { bundle, verification } from "../bundles.ts";
import { importing } from "../manifest.ts";
import { noBody, route } from "../route.ts";
import { accepted, get, ofBundle, plain, put } from "./common.ts";

/** Bundles that were saved locally, brought by somebody who holds no key of the stamp but the manifest that it signed. */

const importPath = "/stamps/{stampId}/imports/{bundleId}";

export const importRoutes = {
  Imports_Get: route({
    ...get,
    ...plain,
    operationId: "Imports_Get",
    path: importPath,
    who: ["manifest"],
    summary: "Reads the bundle that was imported by this manifest.",
    params: ofBundle,
    result: bundle,
  }),
  Imports_Put: route({
    ...put,
    ...plain,
    operationId: "Imports_Put",
    path: importPath,
    who: ["manifest"],
    summary: "Creates the bundle of the manifest and answers with the URL to upload it to; a fresh one when repeated.",
    params: ofBundle,
    body: importing,
    result: bundle,
  }),
  Imports_Submit: route({
    ...accepted,
    ...plain,
    operationId: "Imports_Submit",
    path: `${importPath}:submit`,
    who: ["manifest"],
    summary: "Hands the uploaded bundle over for verification against size and digest of the manifest.",
    params: ofBundle,
    body: noBody,
    result: bundle,
  }),
  Imports_GetVerification: route({
    ...get,
    ...plain,
    operationId: "Imports_GetVerification",
    path: `${importPath}/verification`,
    who: ["manifest"],
    summary: "How the verification stands.",
    params: ofBundle,
    result: verification,
  }),
};
