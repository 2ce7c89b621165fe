import { bundle, verification } from "../shared/api/bundles.ts";
import { requestOf } from "../shared/api/manifest.ts";
import { openBundleFile } from "./bundleFile.ts";
import { uploadKey } from "./resume.ts";
import { type SavedBundle, sha256Of, sizeOf } from "./saved.ts";
import { finish, type SendOptions, type SentBundle } from "./send.ts";
import { type Call, type Credential, call, type Service } from "./service.ts";
import type { SenderApi } from "./stamp.ts";

/** Brings a saved bundle to the service, from a machine that has its manifest and no key of the stamp. */

/** Shows the manifest, which is of one bundle and works for that alone. */
export const asCarrier =
  (jws: string): Credential =>
  async ({ body }) => ({
    authorization: `Manifest ${jws}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  });

/** What a carrier can ask of the service: as a stamp's sender would, of the manifest's bundle; `service` carries the manifest. */
export function importApi(service: Service, { manifest }: SavedBundle, carriedBy: string): SenderApi {
  const self = `/stamps/${manifest.stampId}/imports/${manifest.bundleId}`;
  const ask = async <T>(request: Call<T>): Promise<T> => (await call(service, request)).value;
  const put = (signal?: AbortSignal) => ask({ method: "PUT", path: self, body: { carriedBy }, answer: bundle, signal });
  return {
    service,
    createBundle: (_bundleId, _request, signal) => put(signal),
    renewUpload: (_bundleId, signal) => put(signal),
    submit: (_bundleId, _said, signal) => ask({ method: "POST", path: `${self}:submit`, answer: bundle, signal }),
    bundle: (_bundleId, signal) => ask({ method: "GET", path: self, answer: bundle, signal }),
    verification: (_bundleId, signal) =>
      call(service, { method: "GET", path: `${self}/verification`, answer: verification, signal }),
  };
}

/** The file is not the one that the manifest was signed for; the service has not heard of it. */
export class NotTheSavedFileError extends Error {
  readonly code: "FileMissing" | "FileSwapped";

  constructor(code: "FileMissing" | "FileSwapped", message: string) {
    super(message);
    this.name = "NotTheSavedFileError";
    this.code = code;
  }
}

/**
 * Sends a saved bundle, or goes on with it where an earlier call was stopped. A bundle that has ended shows as it is.
 * Throws `NotTheSavedFileError` before anything is said to the service, and what `sendBundle` throws.
 */
export async function importSaved(api: SenderApi, saved: SavedBundle, options: SendOptions): Promise<SentBundle> {
  await requireTheFile(saved, options.signal);
  await using file = await openBundleFile(saved.path);
  const { memory, signal } = options;
  const { stampId, bundleId } = saved.manifest;
  const key = uploadKey("import", stampId, bundleId);

  options.onProgress?.({ phase: "creating" });
  const request = requestOf(saved.manifest);
  const created = await api.createBundle(bundleId, request, signal);
  const remembered = await memory.recall(key);
  const upload = { schema: 1, bundleId, path: saved.path, file: file.mark, request, created: true } as const;
  return await finish(
    { api, file, memory, key, signal },
    { remembered: remembered ?? upload, bundle: created },
    options,
  );
}

async function requireTheFile({ name, path, manifest }: SavedBundle, signal: AbortSignal | undefined): Promise<void> {
  const sizeBytes = await sizeOf(path);
  if (sizeBytes === undefined) {
    throw new NotTheSavedFileError(
      "FileMissing",
      `${name} is not beside its manifest. Bring both from where the bundle was saved.`,
    );
  }
  if (sizeBytes === manifest.sizeBytes && (await sha256Of(path, signal)) === manifest.sha256) return;
  throw new NotTheSavedFileError(
    "FileSwapped",
    `${name} is not the file that the stamp signed. Bring it anew from where the bundle was saved.`,
  );
}
