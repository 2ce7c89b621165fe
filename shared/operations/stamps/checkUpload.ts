import type { UploadCheck, UploadCheckRequest } from "../../api/preflight.ts";
import { toUtcTime } from "../../api/primitives.ts";
import { checksOf } from "../../domain/preflight.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { creationQuestion, stormRefusalOf } from "../bundles/admission.ts";
import { requiredHeaders } from "../bundles/view.ts";
import type { StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { requireWriter } from "../refusals.ts";

/** Minutes that a probe's URL lives. */
const urlMinutes = 10;
const slotMs = 3_600_000;
/** After its hour, when every URL to it has ended. */
const graceMs = 15 * 60_000;

/**
 * Tells a stamp before it collects whether a bundle like this would be taken now, and gives it a URL to try a write with. What is written there
 * never becomes a bundle: no row names its container, and the sweeper deletes that after its hour.
 */
export async function checkUpload(world: World, caller: StampCaller, asked: UploadCheckRequest): Promise<UploadCheck> {
  const stamp = requireWriter(caller.head, caller, world.clock);
  const raisedOn = toUtcTime(world.clock.now());
  const request = {
    mode: asked.mode,
    sizeBytes: asked.sizeBytes ?? 1,
    stampVersion: asked.stampVersion ?? stamp.stampVersion,
    ...(asked.faultId === undefined ? {} : { trigger: { faultId: asked.faultId, raisedOn } }),
  };
  const checks = checksOf(
    creationQuestion(world, caller, stamp, request),
    { sizeBytes: asked.sizeBytes, maxBundleBytes: world.rules.maxBundleBytes },
    await stormRefusalOf(world, stamp, request),
  );
  return { checks, probe: await openProbe(world, stamp) };
}

/**
 * One container for a stamp and hour, however often it asks, so that asking in a loop fills nothing; its name is never used after it was
 * deleted. Its deadline stands before its URL (invariant 2).
 */
async function openProbe(world: World, { stampId, geography }: StampRecord): Promise<UploadCheck["probe"]> {
  const { clock, landing, schedule } = world;
  const slot = new Date(Math.floor(clock.now().getTime() / slotMs) * slotMs);
  const account = landing.place(stampId, geography);
  const container = landing.probeName(stampId, slot);
  const dueOn = new Date(slot.getTime() + slotMs + graceMs);
  await schedule.remember({ kind: "probe", stampId, account, landing: container }, dueOn);
  await landing.ensure(account, container);
  const expiresOn = new Date(clock.real().getTime() + urlMinutes * 60_000);
  return {
    url: await landing.uploadUrl(account, container, expiresOn),
    expiresOn: toUtcTime(expiresOn),
    requiredHeaders,
  };
}
