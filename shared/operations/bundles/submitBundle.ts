import type { Bundle, Submission } from "../../api/bundles.ts";
import { type BundleId, toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, endedBy, transition } from "../../domain/bundle.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { DomainError } from "../../errors.ts";
import { actorOf, type SendingCaller } from "../caller.ts";
import type { LandedBlob, World } from "../needs.ts";
import { invalidState, noSuchBundle, requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { askAgainLater, askForVerification } from "./askForVerification.ts";
import { bundleView } from "./view.ts";

type Needs = Pick<World, "clock" | "rules" | "stamps" | "landing" | "queue" | "schedule" | "log">;

/**
 * Hands the uploaded bundle over: pins the landed blob's ETag and what the stamp signed of it, and asks for verification. From the commit on
 * the sweeper sees to it even if the message is lost (invariant 7). Repeating it is safe.
 */
export async function submitBundle(
  world: Needs,
  caller: SendingCaller,
  bundleId: BundleId,
  said: Submission,
): Promise<Bundle> {
  const { clock, stamps, landing } = world;
  const { stampId } = caller;
  const submitted = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const stamp = requireWriter(head, caller, world.clock);
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined) throw noSuchBundle();
      if (bundle.sha256 !== undefined) return { stamp, bundle: requireSame(bundle, said), isRepeat: true };
      requireOpen(bundle, stamp, clock.now());
      requireSame(bundle, said);
      const blob = requireUsable(await landing.landed(bundle.account, bundle.landing), world.rules.maxBundleBytes);
      const now = clock.now();
      const next = submit(bundle, said, blob, now);
      const event = {
        type: "bundle.submitted",
        actor: actorOf(caller),
        data: { ...transition(bundle, next), sha256: said.sha256, etag: blob.etag },
      } as const;
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      return { stamp, bundle: next, isRepeat: false };
    },
    caller.head,
  );
  if (submitted.bundle.state === "submitted") {
    await (submitted.isRepeat ? askAgainLater : askForVerification)(world, submitted.bundle);
  }
  return bundleView(submitted.bundle, submitted.stamp, clock.now());
}

const submit = (bundle: BundleRecord, said: Submission, blob: LandedBlob, now: Date): BundleRecord => ({
  ...bundle,
  state: "submitted",
  submittedOn: toUtcTime(now),
  sha256: said.sha256,
  submittedEtag: blob.etag,
  verification: { attempts: 0 },
});

function requireOpen(bundle: BundleRecord, stamp: StampRecord, now: Date): void {
  const state = endedBy(bundle, stamp, now) ?? bundle.state;
  if (state !== "created") {
    throw invalidState(state, `The bundle is ${state} and takes no submit. Create a new one to send these logs.`);
  }
}

/** The size was declared at creation; a repeated submit says the same once more. */
function requireSame(bundle: BundleRecord, said: Submission): BundleRecord {
  const same = said.sizeBytes === bundle.sizeBytes && (bundle.sha256 === undefined || bundle.sha256 === said.sha256);
  if (same) return bundle;
  throw new DomainError(
    "BundleConflict",
    "The bundle was declared with another size or submitted with another digest. Create a new bundle for other content.",
  );
}

function requireUsable(blob: LandedBlob | undefined, maxBundleBytes: number): LandedBlob {
  if (blob === undefined) {
    throw new DomainError(
      "NothingUploaded",
      "Nothing has been uploaded yet: upload the blocks, commit the block list, then submit.",
    );
  }
  const unusable = blob.unusable ?? (blob.sizeBytes > maxBundleBytes ? "it is larger than a bundle may be" : undefined);
  if (unusable === undefined) return blob;
  throw new DomainError(
    "UnusableBlob",
    `The uploaded blob cannot be verified: ${unusable}. Upload it again as a plain block blob.`,
    {
      details: [{ code: "UnusableBlob", message: unusable }],
    },
  );
}
