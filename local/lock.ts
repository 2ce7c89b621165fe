import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ConfigurationError } from "../shared/config.ts";
import { createJson, readJson } from "./files.ts";
import { isAlive } from "./processes.ts";
import { stoppingAnswer } from "./sideDoor.ts";

const holder = z.object({ pid: z.int(), instance: z.string(), url: z.url() });
/** Who holds a `LOCAL_DIR`: its process, and where that process answers with `instance`, which tells it from another of the same id. */
export type LockHolder = z.infer<typeof holder>;

const answerLimitMilliseconds = 5_000;
/** A service that stops lets requests end and its storage save. */
const stopLimitMilliseconds = 60_000;

/**
 * Takes `directory` for this process; gives what releases it. A lock whose holder is gone is taken over, and one whose holder is
 * stopping is waited for. Throws `ConfigurationError` while another service holds it.
 */
export async function takeLock(directory: string, mine: LockHolder): Promise<() => Promise<void>> {
  const path = join(directory, "service.pid");
  const deadline = Date.now() + stopLimitMilliseconds;
  while (!(await createJson(path, mine))) {
    const other = await readJson(path, holder);
    const state = other === undefined ? "gone" : await stateOf(other);
    if (state === "stopping" && Date.now() < deadline) await sleep(100);
    else if (state === "gone") await setAside(path, other?.instance);
    else {
      throw new ConfigurationError(
        `LOCAL_DIR: ${directory} is in use by the service with process id ${other?.pid}; stop that one, or name another folder`,
      );
    }
  }
  return () => rm(path, { force: true });
}

/** Whether the holder still runs: its process lives and answers as itself. One too busy to answer is taken at its word. */
async function stateOf(other: LockHolder): Promise<"running" | "stopping" | "gone"> {
  if (!isAlive(other.pid)) return "gone";
  try {
    const response = await fetch(other.url, { signal: AbortSignal.timeout(answerLimitMilliseconds) });
    const answer = await response.text();
    if (answer === stoppingAnswer(other.instance)) return "stopping";
    return answer === other.instance ? "running" : "gone";
  } catch (error) {
    return error instanceof DOMException && error.name === "TimeoutError" ? "running" : "gone";
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
