import { createHash, randomUUID } from "node:crypto";
import type { StampApi } from "../../client/index.ts";
import type { Bundle } from "../../shared/api/bundles.ts";
import { bundleId as bundleIdSchema, stampId as stampIdSchema } from "../../shared/api/primitives.ts";
import type { App } from "../../shared/app.ts";
import { makeZip } from "../../test/support/system/zip.ts";
import { sentNow } from "../stage.ts";

/** A tiny bundle's way to its acceptance, step by step, through the contract. */

export type Tiny = { readonly bundle: Bundle; readonly bytes: Buffer };

/** Makes a zip and the request for it; `create` is the one call to the service. */
export async function tiny(stamp: StampApi): Promise<{ readonly create: () => Promise<Tiny> }> {
  const [bundleId, bytes, description] = [randomUUID(), await makeZip(), await sentNow(stamp)];
  const request = {
    ...description,
    fileName: "AzureStackLogs-20240927104305-BENCH-ERCS01.zip",
    contentType: "application/zip" as const,
    sizeBytes: bytes.length,
  };
  return { create: async () => ({ bundle: await stamp.createBundle(bundleId, request), bytes }) };
}

/** Sends the bytes by the bundle's URL, as one Put Blob. */
export async function upload({ bundle, bytes }: Tiny): Promise<void> {
  const { url, requiredHeaders } = bundle.upload ?? {};
  const { status } = await fetch(url ?? "", {
    method: "PUT",
    body: new Uint8Array(bytes),
    headers: requiredHeaders ?? {},
  });
  if (status !== 201) throw new Error(`Storage answered the upload with ${status}`);
}

export const submit = (stamp: StampApi, { bundle, bytes }: Tiny): Promise<Bundle> =>
  stamp.submit(bundle.bundleId, {
    sizeBytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });

/** All of it, with the verification that the queue's message would start. Throws where the bundle does not end accepted. */
export async function accepted(app: App, stamp: StampApi): Promise<Bundle> {
  const sent = await (await tiny(stamp)).create();
  const { stampId, bundleId } = sent.bundle;
  await upload(sent);
  await submit(stamp, sent);
  await app.queues.verify({ stampId, bundleId });
  const state = await stateOf(app, sent.bundle);
  if (state !== "accepted") throw new Error(`The bundle is ${state}`);
  return sent.bundle;
}

/** A bundle's state as its row has it. */
export async function stateOf(
  { world }: App,
  { stampId, bundleId }: Pick<Bundle, "stampId" | "bundleId">,
): Promise<string | undefined> {
  return (await world.stamps.bundle(stampIdSchema.parse(stampId), bundleIdSchema.parse(bundleId)))?.state;
}
