import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "./files.ts";

/** Whether a process of this id runs. It may be another one than was meant: ids are used again. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
}

/** Waits until the process is gone; `false` if it still runs after `limitMilliseconds`. */
export async function waitUntilGone(pid: number, limitMilliseconds: number): Promise<boolean> {
  const deadline = Date.now() + limitMilliseconds;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
