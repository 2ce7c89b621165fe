import type { BundleId, StampId } from "../../api/primitives.ts";
import { toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, bundleFacts } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { verificationBackOffSeconds } from "../../domain/retention.ts";
import { isOutage } from "../../errors.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { lookSoon, uploadWork } from "./uploadWork.ts";

/**
 * A verification that failed on our side: the bundle stays `submitted`, says so, and the sweeper tries again after a pause that doubles. An
 * outage of ours is never a verdict on the customer's bundle (invariant 7).
 */
export async function delayVerification(
  world: Pick<World, "clock" | "stamps" | "schedule" | "log">,
  { stampId, bundleId }: { readonly stampId: StampId; readonly bundleId: BundleId },
  cause: unknown,
): Promise<void> {
  const { clock, stamps, schedule, log } = world;
  log.error("verification.failed", cause, { stampId, bundleId });
  const attempts = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined) return undefined;
      if (bundle.state !== "submitted" || bundle.purge !== undefined) {
        // The verdict stands; what failed is the deletion that follows it.
        await lookSoon(world, bundle);
        return undefined;
      }
      const now = clock.now();
      const next = delayed(bundle, cause, now);
      const { attempts, nextAttemptOn, lastError } = next.verification;
      const event: NewEvent = {
        type: "bundle.verificationDelayed",
        actor: theService,
        data: { ...bundleFacts(bundle), attempts, nextAttemptOn, error: lastError.code },
      };
      const events = isToldOf(attempts) ? [event] : [];
      await schedule.remember(uploadWork(bundle), new Date(nextAttemptOn));
      await stamps.commit(stampId, head, { events, update: [{ from: bundle, to: next }] }, now);
      return attempts;
    },
  );
  if (attempts !== undefined) log.alert("verification.delayed", { stampId, bundleId, attempts });
}

/** Each doubling has an event: a long outage writes a dozen, not one an hour. The bundle's row counts every attempt. */
const isToldOf = (attempts: number): boolean => Number.isInteger(Math.log2(attempts));

function delayed(bundle: BundleRecord, cause: unknown, now: Date) {
  const attempts = (bundle.verification?.attempts ?? 0) + 1;
  const nextAttemptOn = toUtcTime(new Date(now.getTime() + verificationBackOffSeconds(attempts) * 1000));
  return { ...bundle, verification: { attempts, lastError: shownError(cause), nextAttemptOn } };
}

/** What the stamp may know: that it is our fault and will be tried again; the inside stays in the log. */
const shownError = (cause: unknown) => ({
  code: isOutage(cause) ? "ServiceUnavailable" : "InternalError",
  message:
    "The service could not finish the verification and tries again by itself. Nothing is wrong with the bundle so far; there is nothing to do.",
});
