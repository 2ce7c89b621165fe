import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { bundleRequest } from "../shared/api/bundles.ts";
import { readJson, writeJson } from "./files.ts";

/**
 * What the client remembers of an upload under way, in one small file that is written before the service hears of the
 * bundle: after a kill at any moment, the same command finds it and goes on with the same bundle.
 */

const uploadFile = z.object({
  /** Whose memory this is: a file that was moved here from another upload is none of ours. */
  key: z.string(),
  schema: z.literal(1),
  bundleId: z.guid(),
  path: z.string(),
  file: z.object({ sizeBytes: z.number(), modifiedMs: z.number() }),
  /** The create as it was first sent: a repeat must be the same to the letter. */
  request: bundleRequest,
  /** Whether the service has said that it knows the bundle. */
  created: z.boolean(),
  /** Of the whole file, once every block is staged; from then on the blob may be committed. */
  sha256: z.string().optional(),
});
export type RememberedUpload = Omit<z.input<typeof uploadFile>, "key">;

export type UploadMemory = {
  /** What is remembered under the key; nothing where it cannot be read or is another upload's, and the upload starts anew. */
  readonly recall: (key: string) => Promise<RememberedUpload | undefined>;
  readonly remember: (key: string, upload: RememberedUpload) => Promise<void>;
  readonly forget: (key: string) => Promise<void>;
};

/** A memory in that folder, one file for each upload. */
export function uploadMemory(folder: string): UploadMemory {
  const fileOf = (key: string) => join(folder, `${key}.json`);
  return {
    recall: async (key) => {
      const { data } = uploadFile.safeParse(await readJson(fileOf(key)));
      return data?.key === key ? data : undefined;
    },
    remember: async (key, upload) => {
      await mkdir(folder, { recursive: true });
      await writeJson(fileOf(key), { ...upload, key });
    },
    forget: (key) => rm(fileOf(key), { force: true }),
  };
}

/** The name of an upload: the same words give the same one. */
export const uploadKey = (...words: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(words)).digest("hex").slice(0, 32);
