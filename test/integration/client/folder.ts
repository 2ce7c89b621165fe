import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of the test's own, gone with it. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "stamp-client-"));
  return {
    path,
    /** Writes a file of that many random bytes. */
    file: async (name: string, sizeBytes: number) => {
      await writeFile(join(path, name), randomBytes(sizeBytes));
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
