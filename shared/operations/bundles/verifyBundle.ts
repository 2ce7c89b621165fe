import * as z from "zod";
import { bundleId, stampId, toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, transition } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { mayDerive, mayStartCopy, verificationLag } from "../../domain/retention.ts";
import { zipVerdict } from "../../domain/zip.ts";
import { DomainError } from "../../errors.ts";
import { linkClaim } from "../cases/linkClaim.ts";
import type { CopyState, Place, World } from "../needs.ts";
import { transact } from "../transact.ts";
import { isInOpenBox } from "./boxOfBundle.ts";
import { delayVerification } from "./delayVerification.ts";
import { placeOf } from "./finishPurge.ts";
import { beginInventory, keepInventory } from "./inventory.ts";
import { rejectBundle, unverifiable } from "./rejectBundle.ts";
import { settleBundle } from "./settleBundle.ts";
import { uploadWork } from "./uploadWork.ts";

/** What the queue carries. */
export const verificationMessage = z.object({ stampId, bundleId });
export type VerificationMessage = z.infer<typeof verificationMessage>;

/** Seconds after which a copy that is under way is looked at again. */
const copyPollSeconds = 3;

/**
 * Verifies one submitted bundle: copies the pinned blob to where no stamp can write, reads the copy, and gives the verdict (invariant 6).
 * Running it twice, at once or again, has one effect, and at once it reads once. What fails on our side is no verdict: it is written down and tried
 * again.
 */
export async function verifyBundle(world: World, message: VerificationMessage): Promise<void> {
  const { stampId, bundleId } = message;
  const read = () => world.stamps.bundle(stampId, bundleId);
  const heldUntil = await world.singleFlight.run(`verify!${stampId}!${bundleId}`, async () => {
    const bundle = await read();
    if (bundle !== undefined) await world.tracing.under(bundle.traceId, () => verifyInTrace(world, message, bundle));
  });
  if (heldUntil === undefined) return;
  // Should the holder have died, its message may be this one: the sweeper asks again once the claim has expired.
  const bundle = await read();
  if (bundle?.state === "submitted") await world.schedule.remember(uploadWork(bundle), heldUntil);
}

async function verifyInTrace(world: World, message: VerificationMessage, bundle: BundleRecord): Promise<void> {
  if (bundle.state !== "submitted" || bundle.purge !== undefined || isPastPurge(bundle, world.clock.now())) {
    await settleBundle(world, message.stampId, message.bundleId);
    return;
  }
  // Its box sends the message again once it is closed.
  if (await isInOpenBox(world, bundle)) return;
  try {
    await verify(world, bundle);
  } catch (error) {
    await delayVerification(world, message, error);
  }
}

const isPastPurge = (bundle: BundleRecord, now: Date) => now.getTime() >= Date.parse(bundle.purgeOn);

async function verify(world: World, bundle: BundleRecord): Promise<void> {
  const copy = await copyToDay(world, bundle);
  switch (copy.status) {
    case "pending":
      await world.queue.send({ stampId: bundle.stampId, bundleId: bundle.bundleId }, copyPollSeconds);
      return;
    case "sourceChanged":
      await rejectBundle(world, bundle, {
        code: "BlobChanged",
        message: "The blob was changed after it was submitted. Create a new bundle, upload it once, and submit it.",
      });
      return;
    case "success": {
      const verdict = await judge(world, bundle, copy);
      // Before the verdict, which ends what is tried again after a crash; and of a file from a drop box only its case ever hears that it was rejected.
      await linkClaim(world, theService, bundle);
      if ("code" in verdict) {
        await rejectBundle(world, bundle, verdict);
        return;
      }
      await accept(world, bundle, verdict.sha256);
      return;
    }
    case "sourceMissing":
      // Neither is there a copy nor can one be made: no further try could succeed.
      await rejectBundle(world, bundle, unverifiable);
      return;
    case "failed":
      if (copy.etag !== undefined) await world.days.discard(placeOf(bundle), copy.etag);
      throw new DomainError("ServiceUnavailable", "The copy of the bundle failed and is made again.");
  }
}

/** The deadline is written before the day's container could hold a byte (invariant 2). */
async function copyToDay(world: World, bundle: BundleRecord): Promise<CopyState> {
  const { days, schedule } = world;
  const { submittedEtag } = bundle;
  const place = placeOf(bundle);
  const isCopied = submittedEtag === undefined;
  if (isCopied || !mayStartCopy(bundle, world.clock.now())) return await copyMadeInTime(world, place);
  await schedule.expire({ stampId: bundle.stampId, bundleId: bundle.bundleId, createdOn: bundle.createdOn });
  await schedule.holdDay({ day: place.day, account: place.account, purgeOn: bundle.purgeOn });
  await days.ensure(place.account, place.day);
  return await days.startCopy({ account: bundle.account, landing: bundle.landing, etag: submittedEtag }, place);
}

/** A copy that was made in time can still be read; without one there is nothing to copy from. */
const copyMadeInTime = async ({ days }: Pick<World, "days">, place: Place): Promise<CopyState> =>
  (await days.copyState(place)) ?? { status: "sourceMissing" };

type Rejection = NonNullable<BundleRecord["rejection"]>;

/**
 * Size, then digest, then whether what is called a zip is one: the rejection, or the digest of what was read. What a stamp signed must be that;
 * for what came by a drop box nobody signed, and the digest is as received.
 */
async function judge(
  world: World,
  bundle: BundleRecord,
  copy: { etag: string; sizeBytes: number },
): Promise<Rejection | { readonly sha256: string }> {
  if (copy.sizeBytes !== bundle.sizeBytes) {
    return {
      code: "SizeMismatch",
      message: `The uploaded blob has ${copy.sizeBytes} bytes, the submit said ${bundle.sizeBytes}. Create a new bundle and upload all of it.`,
    };
  }
  const isZip = bundle.contentType === "application/zip";
  const taking = isZip && mayDerive(bundle, world.clock.now()) ? await beginInventory(world, bundle, copy) : undefined;
  const read = await world.days.readAndHash(placeOf(bundle), copy, taking);
  if (bundle.mode !== "dropBox" && read.sha256 !== bundle.sha256) {
    return {
      code: "DigestMismatch",
      message: `The uploaded blob has the SHA-256 ${read.sha256}, another than the submit signed. Create a new bundle and upload the file again.`,
    };
  }
  const { sha256, head, tail } = read;
  if (!isZip) return { sha256 };
  const zip = zipVerdict({ head, tail, sizeBytes: copy.sizeBytes });
  if (!zip.ok) return { code: "NotAZip", message: `The uploaded file is not a whole zip: ${zip.message}` };
  // Before the acceptance, so that whoever sees the bundle accepted finds what is in it.
  if (taking !== undefined) await keepInventory(world, bundle, copy, taking);
  return { sha256 };
}

/** Accepts what still waits for its verdict, but not past its purge: the day's container may be going, and what is copied then is deleted with the rejection. */
async function accept(world: World, { stampId, bundleId }: BundleRecord, sha256: string): Promise<void> {
  const { stamps, clock, log } = world;
  const accepted = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      const now = clock.now();
      if (bundle?.state !== "submitted" || bundle.purge !== undefined || isPastPurge(bundle, now)) return undefined;
      const { attempts } = bundle.verification ?? { attempts: 0 };
      const next: BundleRecord = {
        ...bundle,
        sha256,
        state: "accepted",
        acceptedOn: toUtcTime(now),
        verification: { attempts: attempts + 1 },
      };
      const event: NewEvent = {
        type: "bundle.accepted",
        actor: theService,
        data: { ...transition(bundle, next), sha256 },
      };
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      return next;
    },
  );
  if (accepted !== undefined)
    log.info("bundle.accepted", {
      stampId,
      bundleId,
      sizeBytes: accepted.sizeBytes,
      lagSeconds: verificationLag(accepted, clock.now()),
    });
  await settleBundle(world, stampId, bundleId);
}
