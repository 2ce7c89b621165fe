import { createReadStream } from "node:fs";
import type { BlockBlobClient } from "@azure/storage-blob";
import { timed } from "../rounds.ts";

/** What the Azure SDK does when nothing is said: `uploadFile` and `uploadStream` with their defaults. */

export const uploadByFile = (blob: BlockBlobClient, path: string): Promise<number> =>
  timed(() => blob.uploadFile(path));

export const uploadByStream = (blob: BlockBlobClient, path: string): Promise<number> =>
  timed(() => blob.uploadStream(createReadStream(path)));
