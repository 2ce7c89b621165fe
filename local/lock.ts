import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ConfigurationError } from "../shared/config.ts";
import { createJson, readJson } from "./files.ts";
import { isAlive } from "./processes.ts";

const holder = z.object({ pid: z.int(), instance: z.string(), url: z.url() });
/** Who holds a `LOCAL_DIR`: its process, and where that process answers with `instance`, which tells it from another of the same id. */
export type LockHolder = z.infer<typeof holder>;

const answerLimitMilliseconds = 5_000;

/**
 * Takes `directory` for this process; gives what releases it. A lock whose holder is gone is taken over.
 * Throws `ConfigurationError` while another service holds it.
 */
export async function takeLock(directory: string, mine: LockHolder): Promise<() => Promise<void>> {
  const path = join(directory, "service.pid");
  while (!(await createJson(path, mine))) {
    const other = await readJson(path, holder);
    if (other !== undefined && (await isRunning(other))) {
      throw new ConfigurationError(
        `LOCAL_DIR: ${directory} is in use by the service with process id ${other.pid}; stop that one, or name another folder`,
      );
    }
    await setAside(path, other?.instance);
  }
  return () => rm(path, { force: true });
}

/** Whether the holder still runs: its process lives and answers as itself. One too busy to answer is taken at its word. */
async function isRunning(other: LockHolder): Promise<boolean> {
  if (!isAlive(other.pid)) return false;
  try {
    const answer = await fetch(other.url, { signal: AbortSignal.timeout(answerLimitMilliseconds) });
    return (await answer.text()) === other.instance;
  } catch (error) {
    return error instanceof DOMException && error.name === "TimeoutError";
  }
}

/** Of two that find the same stale lock, the slower one must not remove the new lock of the faster one. */
async function setAside(path: string, staleInstance: string | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readJson(aside, holder);
  if (moved !== undefined && moved.instance !== staleInstance) await createJson(path, moved);
  await rm(aside, { force: true });
}
