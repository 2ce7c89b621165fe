import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** What a stream of bytes comes to: its SHA-256 in lower-case hex, and its length. */
export async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

export const digestOfFile = (path: string) => digestOf(createReadStream(path));
