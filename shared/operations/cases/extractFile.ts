import type { Extraction, FileRequest } from "../../api/files.ts";
import { type BundleId, type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { type GrantRecord, grantEnd, isPending } from "../../domain/grant.ts";
import { requireActiveGrant, requireLendable } from "../../domain/lending.ts";
import { addDays, utcDay } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import { pathDigest } from "../bundles/inventory.ts";
import type { TokenCaller } from "../caller.ts";
import type { LentFile, World } from "../needs.ts";
import { noSuchGrant } from "../refusals.ts";
import { type LentThing, recordLending } from "./recordLending.ts";
import { bytesToRead, requireFile, whileThere, writeOut } from "./takeOut.ts";
import { requireKnown } from "./view.ts";

type AtBundle = { readonly caseNumber: CaseNumber; readonly stampId: StampId; readonly bundleId: BundleId };

/** Bytes that are read for one file while its reader waits; more is read on the queue. */
const mostBytesAtOnce = 64 * 1024 * 1024;

/**
 * Takes one file out of a bundle and lends it by a URL of its own, under the rules of a whole bundle's. It is written to the container of the day of
 * lending, which is dropped a day later; whoever asks again that day is served from there. The path stays in the bundle's day container.
 */
export async function extractFile(
  world: World,
  caller: TokenCaller,
  at: AtBundle,
  asked: FileRequest,
): Promise<Extraction> {
  const { bundle, grantIds } = await requireLent(world, caller, at, asked.grantId);
  const found = await requireFile(world, bundle, asked.path);
  const { path, sizeBytes, role } = found.file;
  const id = pathDigest(found.inventory, path);
  const lent: LentFile = { place: placeOf(bundle), lentOn: utcDay(world.clock.now()), digest: id };
  const { expiresOn } = await recordUnderOneOf(world, caller, grantIds, at, { pathDigest: id, role });
  const isThere = await whileThere(world, lent, async () => {
    await world.contents.keepLentPath(lent, path);
    if (await world.contents.isLent(lent)) return true;
    const takesLong = bytesToRead(found) > mostBytesAtOnce;
    await (takesLong ? queue(world, lent) : writeOut(world, lent, found));
    return !takesLong;
  });
  if (!isThere) return { id, path, status: "Running" };
  const url = await world.contents.lentUrl(lent, { fileName: nameOf(path), expiresOn });
  return { id, path, status: "Succeeded", sizeBytes, url, expiresOn: toUtcTime(expiresOn) };
}

/** Under the first of the caller's grants that lends the file; where none does, the first one's refusal. */
async function recordUnderOneOf(
  world: World,
  caller: TokenCaller,
  grantIds: readonly GrantId[],
  { caseNumber, stampId, bundleId }: AtBundle,
  file: NonNullable<LentThing["file"]>,
): Promise<{ expiresOn: Date }> {
  const refusals: unknown[] = [];
  for (const grantId of grantIds) {
    try {
      return await recordLending(world, caller, { caseNumber, grantId }, { stampId, bundleId, file });
    } catch (error) {
      if (!isOfTheGrant(error)) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0];
}

/** Refusals that another grant may not meet. */
const isOfTheGrant = (error: unknown): boolean =>
  error instanceof DomainError && ["RoleNotGranted", "GrantNotActive"].includes(error.code);

/** What an earlier try ended in is forgotten: whoever asks again wants to know of this one. */
async function queue({ contents, extractions }: World, lent: LentFile): Promise<void> {
  const { stampId, bundleId } = lent.place;
  await contents.forgetLentFailure(lent);
  await extractions.send({ stampId, bundleId, digest: lent.digest, lentOn: lent.lentOn });
}

/** How far a file is that was too large to wait for; once it has succeeded, asking again that day gives its URL. */
export async function readExtraction(
  world: World,
  caller: TokenCaller,
  at: AtBundle & { readonly extractionId: string },
): Promise<Extraction> {
  const { bundle } = await requireLent(world, caller, at, undefined);
  const place = placeOf(bundle);
  const id = at.extractionId;
  const asked = await world.contents.lentPath(place, id);
  const today = utcDay(world.clock.now());
  // What was asked for late in the evening is done on the next day; what is older was dropped.
  if (asked === undefined || asked.lentOn < addDays(today, -1)) throw noSuchExtraction();
  const { path, lentOn } = asked;
  const lent: LentFile = { place, lentOn, digest: id };
  if (await world.contents.isLent(lent)) return { id, path, status: "Succeeded" };
  const message = await world.contents.lentFailure(lent);
  if (message === undefined) return { id, path, status: "Running" };
  return { id, path, status: "Failed", error: { code: "UnreadableFile", message } };
}

const noSuchExtraction = () =>
  new DomainError("NotFound", "No such file is being taken out of the bundle. Ask for it (POST …/files:extract).");

/** Asks every rule before the inventory is read, so that a path tells nothing to whom it may not. */
async function requireLent(
  world: World,
  caller: TokenCaller,
  { caseNumber, stampId, bundleId }: AtBundle,
  grantId: GrantId | undefined,
): Promise<{ bundle: BundleRecord; grantIds: readonly GrantId[] }> {
  const [head, found] = await Promise.all([world.cases.head(caseNumber), world.stamps.bundle(stampId, bundleId)]);
  const record = requireKnown(head, caller);
  const now = world.clock.now();
  const grants = await (grantId === undefined
    ? grantsThatLend(world, record, caller, { stampId, bundleId })
    : grantOf(world, caseNumber, grantId));
  const [grant] = grants;
  if (grant === undefined) throw grantId === undefined ? noGrant() : noSuchGrant();
  requireActiveGrant(grant, record, caller.subject, now);
  const isInGrant = grant.bundles.some((each) => each.stampId === stampId && each.bundleId === bundleId);
  const bundle = requireLendable({
    case: record,
    stampId,
    bundle: isInGrant ? found : undefined,
    purpose: grant.purpose,
    now,
  });
  return { bundle, grantIds: grants.map((each) => each.grantId) };
}

const noGrant = () =>
  new DomainError(
    "GrantNotActive",
    "No active grant of yours lends this bundle. Ask for one (PUT /cases/{caseNumber}/accessGrants/{grantId}).",
  );

async function grantOf({ cases }: World, caseNumber: CaseNumber, grantId: GrantId): Promise<readonly GrantRecord[]> {
  const grant = await cases.grant(caseNumber, grantId);
  return grant === undefined ? [] : [grant];
}

/** The caller's grants of the bundle that have not ended; where all of them wait for approval, one that says so. */
async function grantsThatLend(
  { cases, clock }: World,
  record: CaseRecord,
  caller: TokenCaller,
  bundle: { readonly stampId: StampId; readonly bundleId: BundleId },
): Promise<readonly GrantRecord[]> {
  const lending: GrantRecord[] = [];
  let waiting: GrantRecord | undefined;
  for await (const { item } of cases.activeGrants(record.caseNumber)) {
    const grant = await cases.grant(record.caseNumber, item);
    if (grant?.grantee !== caller.subject || grantEnd(grant, record, clock.now()) !== undefined) continue;
    if (!grant.bundles.some((each) => each.stampId === bundle.stampId && each.bundleId === bundle.bundleId)) continue;
    if (isPending(grant)) waiting ??= grant;
    else lending.push(grant);
  }
  return lending.length === 0 && waiting !== undefined ? [waiting] : lending;
}

/** What the file is saved as: its name, never its folders. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1) || "file";
