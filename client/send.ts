import { realpath } from "node:fs/promises";
import type { Bundle } from "../shared/api/bundles.ts";
import { type Begun, type BundleDescription, begin, type Sending } from "./begin.ts";
import { openBundleFile } from "./bundleFile.ts";
import { isRefused, RefusedError } from "./errors.ts";
import { type UploadMemory, uploadKey } from "./resume.ts";
import type { SenderApi, StampApi } from "./stamp.ts";
import { putBlockList } from "./storage.ts";
import { stageBlocks } from "./upload.ts";
import { type Upload, type UploadTarget, uploadTarget } from "./uploadTarget.ts";
import { awaitVerdict } from "./verdict.ts";

/** A bundle's way out of the stamp: create, send the blocks, commit them, submit, wait for the verdict. */

export type SendProgress =
  | { readonly phase: "creating" | "committing" | "verifying" }
  | {
      readonly phase: "uploading";
      readonly totalBytes: number;
      /** Bytes that storage holds: sent now, and kept from an earlier call. */
      readonly doneBytes: number;
      readonly sentBytes: number;
    };

export type SendOptions = {
  /** Where the upload is remembered, so that a later call can go on with it. */
  readonly memory: UploadMemory;
  readonly onProgress?: ((progress: SendProgress) => void) | undefined;
  /** Stops the upload; a later call with the same file goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Blocks in flight at a time. */
  readonly concurrency?: number | undefined;
  /** The largest block, instead of what the service advises; on slow or broken lines blocks are smaller. */
  readonly blockSizeBytes?: number | undefined;
  /** False returns as soon as the service has acknowledged the bundle. */
  readonly wait?: boolean | undefined;
};

export type SentBundle = {
  /** As it stands at the end: `accepted`, `rejected`, or `submitted` where there is no verdict yet. */
  readonly bundle: Bundle;
  /** Bytes that this call sent; the rest was there from an earlier one. */
  readonly sentBytes: number;
};

const defaultConcurrency = 4;

/**
 * Sends the file at `path`, or goes on with it where an earlier call was stopped.
 * Throws `RefusedError`, `UnreachableError`, `FileChangedError`, or the signal's reason.
 */
export async function sendBundle(
  api: StampApi,
  path: string,
  description: BundleDescription,
  options: SendOptions,
): Promise<SentBundle> {
  await using file = await openBundleFile(path);
  const { mode, trigger, caseNumber } = description;
  const key = uploadKey(api.stampId, await realpath(path), mode, trigger?.faultId ?? "", caseNumber ?? "");
  const sending = { api, file, key, memory: options.memory, signal: options.signal };

  options.onProgress?.({ phase: "creating" });
  return await finish(sending, await begin(sending, description), options);
}

/** Brings a bundle that has begun to its verdict. */
export async function finish(sending: Sending, begun: Begun, options: SendOptions): Promise<SentBundle> {
  const { bundle: submitted, sentBytes } = await delivered(sending, begun, options);
  const bundle = await outcome(sending.api, submitted, options);
  if (bundle.state !== "submitted" || options.wait === false) await sending.memory.forget(sending.key);
  return { bundle, sentBytes };
}

/** Brings a bundle to its acknowledged submit, where an earlier call has not. */
async function delivered(sending: Sending, begun: Begun, options: SendOptions): Promise<SentBundle> {
  if (begun.bundle.state !== "created") return { bundle: begun.bundle, sentBytes: 0 };
  const submitted = await submittedAlready(sending, begun);
  return submitted === undefined ? sendAndSubmit(sending, begun, options) : { bundle: submitted, sentBytes: 0 };
}

/** Submits what an earlier call had sent whole; `undefined` where it was stopped before it committed the blob. */
async function submittedAlready(
  { api, file, signal }: Sending,
  { bundle, remembered: { sha256 } }: Begun,
): Promise<Bundle | undefined> {
  if (sha256 === undefined) return undefined;
  try {
    return await api.submit(bundle.bundleId, { sizeBytes: file.mark.sizeBytes, sha256 }, signal);
  } catch (error) {
    if (isRefused(error, "NothingUploaded")) return undefined;
    throw error;
  }
}

async function sendAndSubmit(
  sending: Sending,
  { remembered, bundle }: Begun,
  options: SendOptions,
): Promise<SentBundle> {
  const { api, file, memory, key, signal } = sending;
  const { sizeBytes } = file.mark;
  const { retry: policy, onRetry, exchange } = api.service;
  const target = targetFor(sending, bundle);
  const storage = { policy, onRetry, signal, exchange, target };

  const staged = await stageBlocks(file, storage, {
    blockSizeBytes: options.blockSizeBytes ?? (await target.current()).blockSizeBytes,
    concurrency: options.concurrency ?? defaultConcurrency,
    alreadyStaged: bundle.stagedBlocks?.map(({ id }) => id) ?? [],
    onProgress: ({ doneBytes, sentBytes }) =>
      options.onProgress?.({ phase: "uploading", totalBytes: sizeBytes, doneBytes, sentBytes }),
  });
  options.onProgress?.({ phase: "committing" });
  // Before the commit: after it, storage no longer lists the blocks, and only this tells a restart to submit.
  await memory.remember(key, { ...remembered, sha256: staged.sha256 });
  await putBlockList(storage, staged.blockIds);
  const submitted = await api.submit(bundle.bundleId, { sizeBytes, sha256: staged.sha256 }, signal);
  return { bundle: submitted, sentBytes: staged.sentBytes };
}

function targetFor({ api, signal }: Sending, { bundleId, upload }: Bundle): UploadTarget {
  const renew = async () => uploadOf(await api.renewUpload(bundleId, signal));
  return uploadTarget(upload, renew, api.service.clock.now);
}

function uploadOf({ upload, state }: Bundle): Upload {
  if (upload !== undefined) return upload;
  throw new RefusedError({
    status: 409,
    code: "InvalidState",
    message: `The bundle is ${state} and takes no upload any more.`,
  });
}

/** What is submitted waits for its verdict; every other state is one. */
async function outcome(api: SenderApi, submitted: Bundle, { wait, signal, onProgress }: SendOptions): Promise<Bundle> {
  if (wait === false || submitted.state !== "submitted") return submitted;
  onProgress?.({ phase: "verifying" });
  return awaitVerdict(api, submitted.bundleId, { signal });
}
