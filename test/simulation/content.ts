import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";
import { sha256Hex } from "../support/system/zip.ts";
import type { Chance } from "./chance.ts";
import type { KnownFile } from "./known.ts";

/** What is collected: a small zip with a role's zip and the collection's own log in it, or, now and then, bytes that are no zip. */

export type Content = { readonly bytes: Buffer; readonly isZip: boolean; readonly files: readonly KnownFile[] };

const roleZip = "Storage-20240927104305.zip";
const outputLog = "Get-AzureStackLog_Output.log";

export async function contentOf(chance: Chance): Promise<Content> {
  if (chance.happens(0.04)) return { bytes: chance.bytes(96), isZip: false, files: [] };
  const [inner, log] = [chance.bytes(64), chance.bytes(32)];
  const bytes = await zipOf([
    [roleZip, await zipOf([["Cluster.log", inner]])],
    [outputLog, log],
  ]);
  const files = [
    { path: `${roleZip}/Cluster.log`, sha256: sha256Hex(inner) },
    { path: outputLog, sha256: sha256Hex(log) },
  ];
  return { bytes, isZip: true, files };
}

async function zipOf(entries: readonly (readonly [string, Buffer])[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, bytes] of entries) zip.addBuffer(bytes, name, { mtime: new Date(0), compress: false });
  zip.end();
  return await buffer(zip.outputStream);
}
