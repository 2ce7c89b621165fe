import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import type { z } from "zod";
import type { Bundle, bundleRequest } from "../shared/api/bundles.ts";
import type { BundleFile } from "./bundleFile.ts";
import { RefusedError } from "./errors.ts";
import type { RememberedUpload, UploadMemory } from "./resume.ts";
import type { SenderApi, StampApi } from "./stamp.ts";

/** How sending begins: with the bundle that an earlier call left unfinished, or with a new one. */

/** What the sender knows of a bundle; its name and size come from the file. */
export type BundleDescription = Omit<z.input<typeof bundleRequest>, "fileName" | "contentType" | "sizeBytes">;

export type Sending<Api extends SenderApi = SenderApi> = {
  readonly api: Api;
  readonly file: BundleFile;
  readonly memory: UploadMemory;
  /** What the memory calls this upload. */
  readonly key: string;
  readonly signal: AbortSignal | undefined;
};

export type Begun = { readonly remembered: RememberedUpload; readonly bundle: Bundle };

/** States in which an earlier upload is worth going on with. */
const unfinished: readonly Bundle["state"][] = ["created", "submitted", "accepted"];

/** The bundle to send the file as, created at the service. */
export async function begin(sending: Sending<StampApi>, description: BundleDescription): Promise<Begun> {
  const remembered = await sending.memory.recall(sending.key);
  if (remembered !== undefined && isOfThisFile(remembered, sending.file)) {
    const begun = await create(sending, remembered);
    if (unfinished.includes(begun.bundle.state)) return begun;
  } else if (remembered !== undefined) {
    await abandon(sending, remembered);
  }
  return create(sending, newUpload(sending.file, description));
}

const isOfThisFile = ({ file }: RememberedUpload, { mark }: BundleFile): boolean =>
  file.sizeBytes === mark.sizeBytes && file.modifiedMs === mark.modifiedMs;

const newUpload = ({ path, mark }: BundleFile, description: BundleDescription): RememberedUpload => ({
  schema: 1,
  bundleId: randomUUID(),
  path,
  file: mark,
  request: { ...description, fileName: basename(path), contentType: "application/zip", sizeBytes: mark.sizeBytes },
  created: false,
});

/** Remembers first, so that no bundle is created that a restart would not find; a repeat answers with the bundle as it is. */
async function create({ api, memory, key, signal }: Sending, upload: RememberedUpload): Promise<Begun> {
  if (!upload.created) await memory.remember(key, upload);
  try {
    const bundle = await api.createBundle(upload.bundleId, upload.request, signal);
    const remembered = { ...upload, created: true };
    if (!upload.created) await memory.remember(key, remembered);
    return { remembered, bundle };
  } catch (error) {
    // Refused, so there is no bundle: the next call must not repeat what was refused, such as its time of trigger.
    if (error instanceof RefusedError && error.status < 500 && !upload.created) await memory.forget(key);
    throw error;
  }
}

/** The file was replaced since. What was begun for the old one would expire by itself; canceling it is only tidier. */
async function abandon({ api, signal }: Sending<StampApi>, { bundleId }: RememberedUpload): Promise<void> {
  try {
    await api.cancel(bundleId, signal);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}
