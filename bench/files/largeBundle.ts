import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { findDirectory, zipTailBytes } from "../../shared/domain/zip.ts";
import { mebibyte } from "../sizes.ts";

/**
 * A bundle as a stamp collects it: the parts of one role, each a zip of many files, and what a collection writes about itself. The parts are the same
 * bytes under different names: memory holds one of them, whatever the size.
 */

export type Plan = {
  readonly sizeBytes: number;
  readonly parts: number;
  readonly filesPerPart: number;
  /** Whether the bundle deflates its role zips; what is in those is deflated in any case. */
  readonly deflatesParts: boolean;
};

/** Bytes from where a zip's directory begins to its end. */
export type LargeBundle = { readonly ownDirectoryBytes: number; readonly partDirectoryBytes: number };

export const partName = (part: number): string => `Storage-part${part}-20240927104305.zip`;

/** The last file of each part: what is before it is all inflated to reach it, where that is needed. */
export const oneFile = "SAC14-S1/Reports/Cluster.log";
export const oneFileBytes = mebibyte;

export async function writeLargeBundle(path: string, plan: Plan): Promise<LargeBundle> {
  const part = await makePart(plan);
  const zip = new ZipFile();
  for (let number = 1; number <= plan.parts; number++) {
    const chunks = () => Readable.from(chunksOf(part), { objectMode: false });
    zip.addReadStreamLazy(partName(number), { compressionLevel: plan.deflatesParts ? 1 : 0 }, (give) =>
      give(null, chunks()),
    );
  }
  zip.addBuffer(Buffer.from("Collection ended.\r\n".repeat(100)), "Get-AzureStackLog_Output.log");
  zip.addBuffer(Buffer.from(JSON.stringify({ StampVersion: "1.2501.1.47" })), "AzureStackStampInformation.json");
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return { ownDirectoryBytes: await directoryBytesOf(path), partDirectoryBytes: directoryBytes(part, part.length) };
}

/** Random files, so that neither zip makes them smaller. */
async function makePart({ sizeBytes, parts, filesPerPart }: Plan): Promise<Buffer> {
  const fileBytes = Math.floor((sizeBytes / parts - oneFileBytes) / (filesPerPart - 1)) - 300;
  const zip = new ZipFile();
  for (let file = 1; file < filesPerPart; file++) {
    zip.addBuffer(randomBytes(fileBytes), `SAC14-S1/WinEvents/Microsoft-AzureStack-Operational-${file}.EVTX`);
  }
  zip.addBuffer(randomBytes(oneFileBytes), oneFile);
  zip.end();
  return await buffer(zip.outputStream);
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += mebibyte) yield bytes.subarray(at, at + mebibyte);
}

async function directoryBytesOf(path: string): Promise<number> {
  await using file = await open(path);
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, zipTailBytes));
  await file.read(tail, 0, tail.length, size - tail.length);
  return directoryBytes(tail, size);
}

function directoryBytes(tail: Buffer, sizeBytes: number): number {
  const directory = findDirectory({ tail: tail.subarray(-zipTailBytes), sizeBytes });
  if (typeof directory === "string") throw new Error(`The zip has no directory: ${directory}`);
  return sizeBytes - directory.offset;
}
