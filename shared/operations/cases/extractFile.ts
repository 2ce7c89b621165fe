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
import { recordLending } from "./recordLending.ts";
import { bytesToRead, noSuchFile, requireFile, takeOut } from "./takeOut.ts";
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
  const { path, sizeBytes } = file;
  const thing = { stampId, bundleId, file: { pathDigest: digest, role: file.role } };
  const { expiresOn } = await recordLending(world, caller, { caseNumber, grantId }, thing);
  if (bytesToRead(inventory, file) > mostBytesAtOnce && !(await world.contents.isLent(lent))) {
    await queue(world, lent, path);
    return { id: digest, path, status: "Running" };
  }
  await takeOut(world, lent, { inventory, file });
  const url = await world.contents.lentUrl(lent, { fileName: nameOf(path), expiresOn });
  return { id: digest, path, status: "Succeeded", sizeBytes, url, expiresOn: toUtcTime(expiresOn) };
}

/** What an earlier try ended in is forgotten: whoever asks again wants to know of this one. */
async function queue({ contents, extractions }: World, lent: LentFile, path: string): Promise<void> {
  const { stampId, bundleId } = lent.place;
  await contents.keepLentPath(lent, path);
  await contents.forgetLentFailure(lent);
  await extractions.send({ stampId, bundleId, digest: lent.digest, lentOn: lent.lentOn });
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
  const today = utcDay(world.clock.now());
  // What was asked for late in the evening is done, or not, on the day before.
  for (const lentOn of [today, addDays(today, -1)]) {
    const lent: LentFile = { place, lentOn, digest: id };
    if (await world.contents.isLent(lent)) return { id, path, status: "Succeeded" };
    const message = await world.contents.lentFailure(lent);
    if (message !== undefined) return { id, path, status: "Failed", error: { code: "UnreadableFile", message } };
  }
  return { id, path, status: "Running" };
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

/** What the file is saved as: its name, never its folders. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1) || "file";
