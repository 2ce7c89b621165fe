import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder where the system keeps temporary ones; `undo` deletes it. */
export async function temporaryFolder(undo: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stamp-intake-bench-"));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
