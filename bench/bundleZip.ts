import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { mebibyte } from "./sizes.ts";

/** A bundle of exactly so many bytes: one role zip in a zip, random, so that nothing on the way can compress it. */

const entry = "Storage-20240927104305.zip";

/** Bytes of a zip beside its content: an entry's header and descriptor, its record in the directory, the directory's end (APPNOTE, 4.3). */
const overheadBytes = 30 + entry.length + 16 + 46 + entry.length + 22;

export async function writeBundle(path: string, sizeBytes: number): Promise<void> {
  const zip = new ZipFile();
  zip.addReadStream(Readable.from(randomChunks(sizeBytes - overheadBytes)), entry, {
    compress: false,
    forceDosTimestamp: true,
  });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  const { size } = await stat(path);
  if (size !== sizeBytes) throw new Error(`The bundle came to ${size} bytes instead of ${sizeBytes}`);
}

function* randomChunks(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= mebibyte) yield randomBytes(Math.min(left, mebibyte));
}
