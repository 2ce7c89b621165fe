import * as z from "zod";
import { bundleId, sha256Hex, stampId } from "../../api/primitives.ts";
import { isPurgeDue } from "../../domain/purge.ts";
import { utcDaySchema } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { LentFile, World } from "../needs.ts";
import { requireFile, whileThere, writeOut } from "./takeOut.ts";

/** What the queue carries: the digest stands for the path, which is kept in the bundle's day container alone. */
const extractionMessage = z.object({ stampId, bundleId, digest: sha256Hex, lentOn: utcDaySchema });
type ExtractionMessage = z.infer<typeof extractionMessage>;

/** A message that is none of ours is said aloud and dropped: it would only come again. */
export async function extractMessage(world: World, message: unknown): Promise<void> {
  const parsed = extractionMessage.safeParse(message);
  if (parsed.success) await extractQueued(world, parsed.data);
  else world.log.alert("extraction.malformedMessage");
}

/** A message that failed five times: whoever waits for the file is told, and may ask again. */
export async function notePoisonedExtraction(world: World, message: unknown): Promise<void> {
  const parsed = extractionMessage.safeParse(message);
  world.log.alert("extraction.poisoned", parsed.success ? parsed.data : {});
  const lent = parsed.success ? await lentFileOf(world, parsed.data) : undefined;
  if (lent === undefined || (await world.contents.isLent(lent))) return;
  await world.contents.noteLentFailure(lent, "The service could not read it this time. Ask for the file again.");
}

/** Repeating it is safe. A file that cannot be read is said to be so; an outage of ours is none of that, and is tried again. */
async function extractQueued(world: World, message: ExtractionMessage): Promise<void> {
  const lent = await lentFileOf(world, message);
  const bundle = await world.stamps.bundle(message.stampId, message.bundleId);
  if (bundle === undefined || lent === undefined || (await world.contents.isLent(lent))) return;
  const asked = await world.contents.lentPath(lent.place, lent.digest);
  if (asked === undefined) return;
  try {
    const found = await requireFile(world, bundle, asked.path);
    await whileThere(world, lent, () => writeOut(world, lent, found));
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === "ServiceUnavailable") throw error;
    if (error.code !== "PurgeDue") await world.contents.noteLentFailure(lent, error.message);
  }
}

/** Undefined where the bundle is lent no more. */
async function lentFileOf(world: World, { stampId, bundleId, digest, lentOn }: ExtractionMessage) {
  const bundle = await world.stamps.bundle(stampId, bundleId);
  if (bundle?.state !== "accepted" || isPurgeDue(bundle, world.clock.now())) return undefined;
  return { place: placeOf(bundle), lentOn, digest } satisfies LentFile;
}
