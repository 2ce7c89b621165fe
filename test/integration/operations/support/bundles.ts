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

/** `container/blob` of everything that the storage holds, snapshots and uncommitted blobs too. */
export async function blobsIn({ blobs }: Stage): Promise<string[]> {
  const held: string[] = [];
  for await (const { name } of blobs.listContainers()) {
    const all = blobs.getContainerClient(name).listBlobsFlat({ includeSnapshots: true, includeUncommitedBlobs: true });
    for await (const blob of all) held.push(`${name}/${blob.name}`);
  }
  return held;
}

/** `container/blob` of what can be read. */
export async function committedIn({ blobs }: Stage): Promise<string[]> {
  const held: string[] = [];
  for await (const { name } of blobs.listContainers()) {
    for await (const blob of blobs.getContainerClient(name).listBlobsFlat()) held.push(`${name}/${blob.name}`);
  }
  return held;
}
