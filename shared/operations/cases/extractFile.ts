import type { Extraction, FileRequest } from "../../api/files.ts";
import { type GrantId, toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { fileDownloadName } from "../../domain/downloadName.ts";
import type { GrantRecord } from "../../domain/grant.ts";
import { lendsRole } from "../../domain/roles.ts";
import { addDays, utcDay } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { all } from "../bounded.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import { pathDigest } from "../bundles/inventory.ts";
import type { TokenCaller } from "../caller.ts";
import type { LentFile, World } from "../needs.ts";
import { type AtBundle, allowing, type CallersGrants, requireGrants, underOneOf } from "./callersGrants.ts";
import { recordLending, requireLentNow, roleNotGranted } from "./recordLending.ts";
import {
  bytesToRead,
  type FoundFile,
  findInBundle,
  requireFile,
  requireReadable,
  whileThere,
  writeOut,
} from "./takeOut.ts";

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
  const { bundle, lending } = await requireLent(world, caller, at, asked.grantId);
  const found = await requireLentFile(world, bundle, lending, asked.path);
  const { path, sizeBytes, role } = found.file;
  const id = pathDigest(found.inventory, path);
  const lent: LentFile = { place: placeOf(bundle), lentOn: utcDay(world.clock.now()), digest: id };
  const { caseNumber, stampId, bundleId } = at;
  const thing = { stampId, bundleId, file: { pathDigest: id, role } };
  const { expiresOn } = await underOneOf(lending, ({ grantId }) =>
    recordLending(world, caller, { caseNumber, grantId }, thing),
  );
  const isThere = await whileThere(world, lent, async () => {
    await world.contents.keepLentPath(lent, path);
    if (await world.contents.isLent(lent)) return true;
    const takesLong = bytesToRead(found) > mostBytesAtOnce;
    await (takesLong ? queue(world, lent) : writeOut(world, lent, found));
    return !takesLong;
  });
  if (!isThere) return { id, path, status: "Running" };
  const url = await world.contents.lentUrl(lent, { fileName: fileDownloadName(path), expiresOn });
  return { id, path, status: "Succeeded", sizeBytes, url, expiresOn: toUtcTime(expiresOn) };
}

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
  const { bundle, lending } = await requireLent(world, caller, at, undefined);
  const place = placeOf(bundle);
  const id = at.extractionId;
  const asked = await world.contents.lentPath(place, id);
  const today = utcDay(world.clock.now());
  // What was asked for late in the evening is done on the next day; what is older was dropped.
  if (asked === undefined || asked.lentOn < addDays(today, -1)) throw noSuchExtraction();
  const { path, lentOn } = asked;
  if (!(await lendsPath(world, bundle, lending, path))) throw noSuchExtraction();
  const lent: LentFile = { place, lentOn, digest: id };
  if (await world.contents.isLent(lent)) return { id, path, status: "Succeeded" };
  const message = await world.contents.lentFailure(lent);
  if (message === undefined) return { id, path, status: "Running" };
  return { id, path, status: "Failed", error: { code: "UnreadableFile", message } };
}

/** Grants of roles answer alike for a file of another role and for one that is not there: which paths there are is content. */
async function requireLentFile(
  world: World,
  bundle: BundleRecord,
  { grants }: CallersGrants,
  path: string,
): Promise<FoundFile> {
  const found = await findInBundle(world, bundle, path);
  const [{ roles }] = grants;
  if (roles !== undefined && !grants.some((grant) => found !== undefined && lendsRole(grant.roles, found.file.role))) {
    throw roleNotGranted(roles);
  }
  return requireReadable(world, found);
}

/** A colleague with a grant of other roles may have asked for it, and its path is not the caller's to see. */
async function lendsPath(
  world: World,
  bundle: BundleRecord,
  { grants }: CallersGrants,
  path: string,
): Promise<boolean> {
  if (grants.some(({ roles }) => roles === undefined)) return true;
  const { role } = (await requireFile(world, bundle, path)).file;
  return grants.some(({ roles }) => lendsRole(roles, role));
}

const noSuchExtraction = () =>
  new DomainError("NotFound", "No such file is being taken out of the bundle. Ask for it (POST …/files:extract).");

/** Asks every rule before the inventory is read, so that a path tells nothing to whom it may not. */
async function requireLent(
  world: World,
  caller: TokenCaller,
  at: AtBundle,
  grantId: GrantId | undefined,
): Promise<{ bundle: BundleRecord; lending: CallersGrants }> {
  const { stampId, bundleId } = at;
  const [asked, head] = await Promise.all([requireGrants(world, caller, at, grantId), world.stamps.head(stampId)]);
  const { record } = asked;
  const now = world.clock.now();
  const lends = (grant: GrantRecord) => requireLentNow(world, head, { record, grant, stampId, bundleId }, now);
  const [first, ...others] = await all(allowing(asked, lends));
  if (first === undefined) throw new TypeError("Where no grant allows it, the first refusal is thrown");
  return { bundle: first.result, lending: { record, grants: [first.grant, ...others.map(({ grant }) => grant)] } };
}
