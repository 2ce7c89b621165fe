import { createHash, randomBytes } from "node:crypto";
import { ZipFile } from "yazl";

/** A small real bundle: a zip with a role zip's name in it, different every time, and hardly compressible. */
export async function makeZip(contentBytes = 2048): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(randomBytes(contentBytes), "Storage-20240927104305.zip");
  zip.addBuffer(Buffer.from("collected\n"), "Get-AzureStackLog_Output.log");
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
