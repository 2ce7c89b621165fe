import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { type Route, takesBody } from "../../../shared/api/route.ts";
import { type OperationId, routes } from "../../../shared/api/routes.ts";
import type { Answer } from "../../support/system/http.ts";
import { makeKey } from "../../support/system/signing.ts";
import type { Call } from "../../support/system/world.ts";
import type { Caller } from "./callers.ts";
import type { Cell } from "./cells.ts";
import type { Granted, Held, Holding, Scene } from "./scene.ts";

/** The request of a cell: valid in all but what the cell is about. Where it is granted it repeats what stands, so that other cells stay true. */

/** What a cell's path and body name. */
type Target = {
  /** The stamp of the path and its bundles: the caller's own, where a stamp calls. */
  readonly holding: Holding;
  readonly stampId: string;
  readonly bundle: Held;
  readonly caseNumber: string;
  readonly dropBoxId: string;
  readonly grant: Granted | undefined;
};

/** Operations that take a body; each has to say which. */
type WithBody = {
  [Id in OperationId]: (typeof routes)[Id] extends Route<infer _Params, infer _Query, infer Body>
    ? [Body] extends [undefined]
      ? never
      : Id
    : never;
}[OperationId];

const operator = { decidedBy: "operator@contoso.example", reason: "The customer asks." };

const bodies: Readonly<Record<WithBody, (scene: Scene, target: Target, cell: Cell) => unknown>> = {
  Stamps_Put: (_scene, { holding }) => holding.stamp.registration,
  Stamps_RotateKey: (_scene, { stampId }) => rotationOf(stampId),
  Stamps_Disable: () => ({ reason: "lost" }),
  Stamps_CheckUpload: () => ({}),
  AccessApproval_Put: () => ({ mode: "required", decidedBy: operator.decidedBy }),
  AccessRequests_Approve: () => ({ decidedBy: operator.decidedBy }),
  AccessRequests_Deny: () => operator,
  Consents_Put: ({ termsVersion }) => ({ state: "enabled", decidedBy: operator.decidedBy, termsVersion }),
  Bundles_Put: (_scene, { bundle }) => bundle.creation,
  Bundles_Submit: (_scene, { bundle }) => bundle.submission,
  Bundles_Erase: () => operator,
  Bundles_CancelErase: () => operator,
  DropBoxes_EraseBundle: () => operator,
  DropBoxes_CancelErase: () => operator,
  Imports_Put: () => ({ carriedBy: "Carol of Contoso" }),
  Cases_Put: ({ cases }, _target, { situation }) => cases[situation.case ?? "open"].update,
  Files_Extract: () => ({ path: "Get-AzureStackLog_Output.log" }),
  DropBoxes_Put: ({ cases }, _target, { situation }) => cases[situation.case ?? "open"].dropBox.request,
  Grants_Put: ({ cases }, { stampId, bundle, grant }) =>
    grant?.request ?? cases.open.actor.grantRequest([{ stampId, bundleId: bundle.bundleId }]),
  Grants_IssueUrl: (_scene, { stampId, bundle }) => ({ stampId, bundleId: bundle.bundleId }),
};

/** Query parameters that an operation cannot do without. */
const queries: { readonly [Id in OperationId]?: (scene: Scene) => Readonly<Record<string, string>> } = {
  Compliance_GetProof: ({ main }) => ({ partition: main.stamp.partition }),
};

/** Sends the cell's request as its caller. */
export async function play(scene: Scene, calls: Readonly<Record<Caller, Call>>, cell: Cell): Promise<Answer> {
  const { operationId, caller, verb, path } = cell;
  const target = targetOf(scene, cell);
  const bodyOf = Object.entries(bodies).find(([id]) => id === operationId)?.[1];
  if (bodyOf === undefined && takesBody(routes[operationId])) throw new Error(`${operationId} needs a body`);
  return await calls[caller](verb, pathOf(scene, path, target), await bodyOf?.(scene, target, cell), {
    query: queries[operationId]?.(scene) ?? {},
  });
}

function targetOf(scene: Scene, { operationId, caller, situation, path }: Cell): Target {
  const holding = caller === "lostStamp" ? scene.lost : caller === "compromisedStamp" ? scene.compromised : scene.main;
  const { another } = scene;
  const isOthers = situation.bundle === "anotherStamps";
  const onCase = path.includes("{caseNumber}");
  return {
    holding,
    // To a case another stamp's bundle is named as such; under a stamp's own path it is one that is not there.
    stampId: isOthers && onCase ? another.stamp.stampId : holding.stamp.stampId,
    bundle: bundleOf(scene, operationId, holding, situation.bundle),
    caseNumber: scene.cases[situation.case ?? "open"].actor.caseNumber,
    dropBoxId: scene.cases[situation.case ?? "open"].dropBox.dropBoxId,
    grant: grantOf(scene, situation),
  };
}

function bundleOf(
  scene: Scene,
  operationId: OperationId,
  { bundles }: Holding,
  state: Cell["situation"]["bundle"],
): Held {
  const { another, imported } = scene;
  if (state === "anotherStamps") return operationId.startsWith("Imports_") ? another.imported : another.bundle;
  if (operationId.startsWith("Imports_")) return imported[state ?? "accepted"];
  // The other purged bundle was linked while it could be, and linking it again would be a repeat.
  if (state === "purged" && operationId === "Cases_LinkBundle") return scene.neverLinked;
  return bundles[state ?? "accepted"];
}

function grantOf({ grants }: Scene, { case: ofCase, grant }: Cell["situation"]): Granted | undefined {
  if (grant === undefined || grant === "new") return undefined;
  return ofCase === "closed" ? grants.closed.ended : grants.open[grant];
}

function pathOf(scene: Scene, template: string, { stampId, bundle, caseNumber, dropBoxId, grant }: Target): string {
  const names: Readonly<Record<string, string>> = {
    stampId,
    bundleId: bundle.bundleId,
    caseNumber,
    dropBoxId,
    grantId: grant?.grantId ?? randomUUID(),
    version: scene.termsVersion,
    seq: "1",
    extractionId: "ab".repeat(32),
    subjectId: scene.operatorSubject,
  };
  return template.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const value = names[name];
    if (value === undefined) throw new Error(`${template}: what stands for {${name}}?`);
    return value;
  });
}

/** A new key with its proof. */
async function rotationOf(stampId: string) {
  const { keyId, jwk, privateKey } = makeKey();
  const proof = await new SignJWT({ stampId, keyId }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
  return { keyId, jwk, proof };
}
