import type { Bundle, Completeness, Erasure, Verification } from "../../api/bundles.ts";
import { toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, endedBy } from "../../domain/bundle.ts";
import type { CustodyRecord } from "../../domain/custody.ts";
import type { InventoryRecord } from "../../domain/inventory.ts";
import { subjectId } from "../../domain/people.ts";
import { shownPurgeOn } from "../../domain/purge.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import { isOutage } from "../../errors.ts";
import type { Caller } from "../caller.ts";
import type { World } from "../needs.ts";
import { placeOf } from "./finishPurge.ts";

/** Hours that an upload URL lives; it can be renewed (`DESIGN.md`, Trust: Storage). */
const uploadUrlHours = 4;

const mebibyte = 1024 ** 2;
const usualBlockBytes = 8 * mebibyte;
/** A blob takes 50,000 blocks; the advice stays below. */
const mostBlocks = 40_000;

/** Put Blob needs the type and Put Block ignores it; Put Block List goes without, for Azurite would take it for a Put Blob. */
export const requiredHeaders = { "x-ms-blob-type": "BlockBlob" };

/** The bundle as anyone who may see it sees it; what has ended shows as ended, whether or not that is written yet. */
export function bundleView(bundle: BundleRecord, sender: SenderRecord, now: Date): Bundle {
  const {
    requestDigest: _requestDigest,
    consentEpoch: _consentEpoch,
    uploadEpoch: _uploadEpoch,
    account: _account,
    landing: _landing,
    submittedEtag: _submittedEtag,
    isLentInParts: _isLentInParts,
    pathNote: _pathNote,
    traceId: _traceId,
    caseClosedDueOn: _caseClosedDueOn,
    custody,
    erasure,
    purge,
    ...shown
  } = bundle;
  return {
    ...shown,
    ...(sender.kind === "dropBox" ? { dropBoxId: sender.dropBoxId } : {}),
    state: endedBy(bundle, sender, now) ?? bundle.state,
    purgeOn: shownPurgeOn(bundle),
    ...(custody === undefined ? {} : { custody: custodyView(custody) }),
    ...(erasure === undefined ? {} : { erasure: { requestedOn: erasure.requestedOn, dueOn: erasure.dueOn } }),
    ...(purge === undefined
      ? {}
      : {
          purge: {
            basis: purge.basis,
            intendedOn: purge.intendedOn,
            ...(purge.deletedOn === undefined ? {} : { deletedOn: purge.deletedOn }),
          },
        }),
  };
}

const custodyView = ({ carriedBy, ...shown }: CustodyRecord): NonNullable<Bundle["custody"]> => ({
  ...shown,
  carrier: carriedBy,
});

/** With the carrier's name, as long as it is remembered. */
async function withCarrier(world: Pick<World, "people">, view: Bundle): Promise<Bundle> {
  if (view.custody === undefined) return view;
  const person = await world.people.whois(subjectId.parse(view.custody.carrier));
  return person === undefined ? view : { ...view, custody: { ...view.custody, carriedBy: person.identity } };
}

/**
 * The bundle with what helps to go on uploading while it is `created`: the URL for who sends it alone, the staged blocks for all; once it is
 * accepted, to its stamp whether it holds what was asked for.
 */
export async function bundleViewFor(
  world: Pick<World, "clock" | "landing" | "people" | "contents">,
  caller: Caller,
  bundle: BundleRecord,
  sender: SenderRecord,
  options: { readonly isNew?: boolean } = {},
): Promise<Bundle> {
  const view = await withCarrier(world, bundleView(bundle, sender, world.clock.now()));
  if (view.state === "accepted" && caller.kind === "stamp") {
    return { ...view, ...(await completenessIn(world, bundle, ({ completeness }) => completeness)) };
  }
  if (view.state !== "created") return view;
  const [upload, stagedBlocks] = await Promise.all([
    caller.kind !== "token" && sender.state === "enabled" ? uploadFor(world, bundle) : undefined,
    options.isNew ? [] : world.landing.stagedBlocks(bundle.account, bundle.landing),
  ]);
  return { ...view, ...(upload === undefined ? {} : { upload }), stagedBlocks: [...stagedBlocks] };
}

/** As `shown` takes it from the inventory. A bundle is shown without it while its account is down. */
export async function completenessIn(
  { contents }: Pick<World, "contents">,
  bundle: BundleRecord,
  shown: (inventory: InventoryRecord) => Completeness,
): Promise<Pick<Bundle, "completeness">> {
  try {
    const inventory = await contents.inventory(placeOf(bundle));
    return inventory === undefined ? {} : { completeness: shown(inventory) };
  } catch (error) {
    if (isOutage(error)) return {};
    throw error;
  }
}

async function uploadFor(
  world: Pick<World, "clock" | "landing">,
  bundle: BundleRecord,
): Promise<NonNullable<Bundle["upload"]>> {
  const expiresOn = new Date(world.clock.real().getTime() + uploadUrlHours * 3_600_000);
  return {
    url: await world.landing.uploadUrl(bundle.account, bundle.landing, expiresOn),
    expiresOn: toUtcTime(expiresOn),
    blockSizeBytes: Math.max(usualBlockBytes, Math.ceil(bundle.sizeBytes / mostBlocks / mebibyte) * mebibyte),
    requiredHeaders,
  };
}

/** How its erasure stands, as a long-running operation; undefined where none is asked for. */
export function erasureView({ bundleId, erasure, purge }: BundleRecord): Erasure | undefined {
  if (erasure === undefined) return undefined;
  const { requestedOn, dueOn } = erasure;
  return { id: bundleId, status: purge?.deletedOn === undefined ? "Running" : "Succeeded", requestedOn, dueOn };
}

/** How its verification stands, as a long-running operation. */
export function verificationView(bundle: BundleRecord): Verification {
  const { attempts, lastError, nextAttemptOn } = bundle.verification ?? { attempts: 0 };
  const error =
    bundle.rejection ?? (isGivenUp(bundle) ? givenUp : bundle.state === "submitted" ? lastError : undefined);
  return {
    id: bundle.bundleId,
    status: verificationStatus(bundle),
    attempts,
    ...(error === undefined ? {} : { error }),
    ...(nextAttemptOn === undefined || bundle.state !== "submitted" ? {} : { nextAttemptOn }),
  };
}

/** Erased before its verdict, which will not come: whoever polls must come to an end. */
const isGivenUp = ({ submittedOn, acceptedOn, rejection, purge }: BundleRecord): boolean =>
  submittedOn !== undefined && acceptedOn === undefined && rejection === undefined && purge !== undefined;

const givenUp = { code: "PurgeDue", message: "The bundle was to be deleted before its verification had ended." };

function verificationStatus(bundle: BundleRecord): Verification["status"] {
  if (bundle.rejection !== undefined || isGivenUp(bundle)) return "Failed";
  if (bundle.acceptedOn !== undefined) return "Succeeded";
  return bundle.state === "submitted" ? "Running" : "NotStarted";
}
