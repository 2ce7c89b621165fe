import type { Bundle, Verification } from "../shared/api/bundles.ts";
import { pause } from "./retry.ts";
import type { SenderApi } from "./stamp.ts";

/** Waits until the service has verified a submitted bundle. */

export type VerdictOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it returns without a verdict; the service goes on regardless. */
  readonly patienceMs?: number;
  readonly onWaiting?: (verification: Verification) => void;
};

const anHourMs = 3_600_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** The bundle once it is accepted or rejected, or as it stands when patience ends. */
export async function awaitVerdict(
  api: SenderApi,
  bundleId: string,
  { signal, patienceMs = anHourMs, onWaiting }: VerdictOptions = {},
): Promise<Bundle> {
  const until = Date.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const { value, retryAfterMs } = await api.verification(bundleId, signal);
    const decided = value.status === "Succeeded" || value.status === "Failed";
    if (decided || Date.now() >= until) return api.bundle(bundleId, signal);
    onWaiting?.(value);
    await pause(Math.max(pauseMs, retryAfterMs), signal);
  }
}
