import { bundleShape } from "../../../support/system/shapes.ts";
import type { AcceptedBundle, StampActor } from "../../../support/system/stamp.ts";
import type { Stage } from "./stage.ts";

/** Create, upload, submit, and the verification that the queue would start. */
export async function accepted(
  stage: Stage,
  stamp: StampActor,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<AcceptedBundle> {
  const submitted = await stamp.submittedBundle(changes);
  await stage.verify(submitted.bundle);
  const bundle = await stamp.bundle(submitted.bundleId);
  if (bundle.state !== "accepted") throw new Error(`The bundle is ${JSON.stringify(bundle)}`);
  return { ...submitted, bundle: bundleShape.parse(bundle) };
}
