import type { Readable } from "node:stream";
import type { Extraction, FileRequest } from "../../api/files.ts";
import { type BundleId, type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { contentInsideDeflated, entryContent, storedEntry } from "../../archive/content.ts";
import { deflated } from "../../archive/entry.ts";
import { ArchiveError, type Source } from "../../archive/source.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { type GrantRecord, grantEnd, isPending } from "../../domain/grant.ts";
import type { InventoryRecord, ListedFile } from "../../domain/inventory.ts";
import { requireActiveGrant, requireLendable } from "../../domain/lending.ts";
import { isPurgeDue } from "../../domain/purge.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { findFile } from "../bundles/findFile.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import { pathDigest } from "../bundles/inventory.ts";
import type { TokenCaller } from "../caller.ts";
import type { LentFile, World } from "../needs.ts";
import { noSuchGrant } from "../refusals.ts";
import { recordLending } from "./recordLending.ts";
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
  const { bundle, grantId } = await requireLent(world, caller, at, asked.grantId);
  const { inventory, file } = await requireFile(world, bundle, asked.path);
  const digest = pathDigest(inventory, file.path);
  const lent: LentFile = { place: placeOf(bundle), lentOn: utcDay(world.clock.now()), digest };
  const { caseNumber, stampId, bundleId } = at;
  const thing = { stampId, bundleId, file: { pathDigest: digest, role: file.role } };
  const { expiresOn } = await recordLending(world, caller, { caseNumber, grantId }, thing);
  await world.contents.keepLentPath(lent, file.path);
  if (!(await world.contents.isLent(lent))) {
    if (bytesToRead(inventory, file) > mostBytesAtOnce) {
      await world.extractions.send({ stampId, bundleId, digest, lentOn: lent.lentOn });
      return { id: digest, path: file.path, status: "Running" };
    }
    await takeOut(world, lent, inventory, file);
  }
  await requireStillThere(world, lent);
  const url = await world.contents.lentUrl(lent, { fileName: nameOf(file.path), expiresOn });
  const { path, sizeBytes } = file;
  return { id: digest, path, status: "Succeeded", sizeBytes, url, expiresOn: toUtcTime(expiresOn) };
}

/** How far a file is that was too large to wait for; once it has succeeded, asking again gives its URL. */
export async function readExtraction(
  world: World,
  caller: TokenCaller,
  at: AtBundle & { readonly extractionId: string },
): Promise<Extraction> {
  const { bundle } = await requireLent(world, caller, at, undefined);
  const place = placeOf(bundle);
  const id = at.extractionId;
  const path = await world.contents.lentPath(place, id);
  if (path === undefined) throw noSuchFile();
  const lent: LentFile = { place, lentOn: utcDay(world.clock.now()), digest: id };
  if (await world.contents.isLent(lent)) return { id, path, status: "Succeeded" };
  const failure = await world.contents.lentFailure(lent);
  return failure === undefined
    ? { id, path, status: "Running" }
    : { id, path, status: "Failed", error: { code: "UnreadableFile", message: failure } };
}

/** What the queue asks for. Repeating it is safe; a file that cannot be read is said to be so, and not tried again that day. */
export async function extractQueued(
  world: World,
  {
    stampId,
    bundleId,
    digest,
    lentOn,
  }: { stampId: StampId; bundleId: BundleId; digest: string; lentOn: LentFile["lentOn"] },
): Promise<void> {
  const bundle = await world.stamps.bundle(stampId, bundleId);
  if (bundle === undefined || bundle.state !== "accepted" || isPurgeDue(bundle, world.clock.now())) return;
  const lent: LentFile = { place: placeOf(bundle), lentOn, digest };
  if (await world.contents.isLent(lent)) return;
  const path = await world.contents.lentPath(lent.place, digest);
  if (path === undefined) return;
  try {
    const { inventory, file } = await requireFile(world, bundle, path);
    await takeOut(world, lent, inventory, file);
    await requireStillThere(world, lent);
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === "ServiceUnavailable") throw error;
    await world.contents.noteLentFailure(lent, error.message);
  }
}

/** Asks every rule before the inventory is read, so that a path tells nothing to whom it may not. */
async function requireLent(
  world: World,
  caller: TokenCaller,
  { caseNumber, stampId, bundleId }: AtBundle,
  grantId: GrantId | undefined,
): Promise<{ bundle: BundleRecord; grantId: GrantId }> {
  const record = requireKnown(await world.cases.head(caseNumber), caller);
  const now = world.clock.now();
  const grant =
    grantId === undefined
      ? await grantThatLends(world, record, caller, { stampId, bundleId })
      : await world.cases.grant(caseNumber, grantId);
  if (grant === undefined) throw grantId === undefined ? noGrant() : noSuchGrant();
  requireActiveGrant(grant, record, caller.subject, now);
  const found = await world.stamps.bundle(stampId, bundleId);
  const isInGrant = grant.bundles.some((each) => each.stampId === stampId && each.bundleId === bundleId);
  const bundle = requireLendable({
    case: record,
    stampId,
    bundle: isInGrant ? found : undefined,
    purpose: grant.purpose,
    now,
  });
  return { bundle, grantId: grant.grantId };
}

const noGrant = () =>
  new DomainError(
    "GrantNotActive",
    "No active grant of yours lends this bundle. Ask for one (PUT /cases/{caseNumber}/accessGrants/{grantId}).",
  );

async function grantThatLends(
  { cases, clock }: World,
  record: CaseRecord,
  caller: TokenCaller,
  bundle: { readonly stampId: StampId; readonly bundleId: BundleId },
): Promise<GrantRecord | undefined> {
  let waiting: GrantRecord | undefined;
  for await (const { item } of cases.activeGrants(record.caseNumber)) {
    const grant = await cases.grant(record.caseNumber, item);
    if (grant?.grantee !== caller.subject || grantEnd(grant, record, clock.now()) !== undefined) continue;
    const lends = grant.bundles.some((each) => each.stampId === bundle.stampId && each.bundleId === bundle.bundleId);
    if (lends && !isPending(grant)) return grant;
    if (lends) waiting ??= grant;
  }
  return waiting;
}

const noSuchFile = () =>
  new DomainError(
    "NotFound",
    "The bundle has no such file. List its files (GET …/files) and use a path as it stands there.",
  );

async function requireFile(
  world: Pick<World, "contents">,
  bundle: BundleRecord,
  path: string,
): Promise<{ inventory: InventoryRecord; file: ListedFile }> {
  const inventory = await world.contents.inventory(placeOf(bundle));
  const file = inventory && (await findFile(world, placeOf(bundle), inventory, path));
  if (inventory === undefined || file === undefined) throw noSuchFile();
  if (file.isEncrypted) throw unreadable("it is encrypted");
  return { inventory, file };
}

const unreadable = (why: string, cause?: unknown) =>
  new DomainError(
    "UnreadableFile",
    `The file cannot be taken out of the bundle: ${why}. Read the whole bundle instead.`,
    {
      cause,
    },
  );

const zipOf = (inventory: InventoryRecord, { zip }: ListedFile) =>
  zip === undefined ? undefined : inventory.zips[zip];

/** A file of a deflated zip is found by inflating all that is before it. */
function bytesToRead(inventory: InventoryRecord, file: ListedFile): number {
  const zip = zipOf(inventory, file);
  return zip?.method === deflated ? zip.compressedBytes : Math.max(file.compressedBytes, file.sizeBytes);
}

async function takeOut(
  world: Pick<World, "contents">,
  lent: LentFile,
  inventory: InventoryRecord,
  file: ListedFile,
): Promise<void> {
  try {
    const bundle = world.contents.open(lent.place, inventory);
    await world.contents.lend(lent, await contentOf(bundle, inventory, file));
  } catch (error) {
    if (error instanceof ArchiveError) throw unreadable(error.message, error);
    throw error;
  }
}

async function contentOf(bundle: Source, inventory: InventoryRecord, file: ListedFile): Promise<Readable> {
  const zip = zipOf(inventory, file);
  if (zip === undefined) return await entryContent(bundle, file);
  if (zip.method === deflated) return await contentInsideDeflated(bundle, zip, file);
  return await entryContent(await storedEntry(bundle, zip), file);
}

/** A purge that began meanwhile may have looked for lent files before this one was there. */
async function requireStillThere({ stamps, clock, contents }: World, lent: LentFile): Promise<void> {
  const { stampId, bundleId } = lent.place;
  const bundle = await stamps.bundle(stampId, bundleId);
  if (bundle?.state === "accepted" && !isPurgeDue(bundle, clock.now())) return;
  await contents.deleteLentOf(lent.place);
  throw new DomainError("PurgeDue", "The bundle is due for deletion or already deleted, and is lent no more.");
}

/** What the file is saved as: its name, never its folders. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1) || "file";
