import { createHmac, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import * as z from "zod";
import type { Completeness } from "../../api/bundles.ts";
import { entryContent } from "../../archive/content.ts";
import { type Inventory, type InventoryTaking, mostBesideBytes, openInventory } from "../../archive/inventory.ts";
import { ArchiveError, type Source } from "../../archive/source.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { completenessOf, type StampInformation } from "../../domain/completeness.ts";
import type { EntryPlace, InventoryRecord } from "../../domain/inventory.ts";
import { asStamp } from "../../domain/sender.ts";
import type { CopiedVersion, World } from "../needs.ts";
import { placeOf } from "./finishPurge.ts";

type Needs = Pick<World, "contents" | "stamps">;

/** Begins to take a bundle's inventory; undefined where the file is no zip, which is for verification to say. */
export async function beginInventory(
  { contents }: Needs,
  bundle: BundleRecord,
  version: CopiedVersion,
): Promise<InventoryTaking | undefined> {
  try {
    return await openInventory(contents.open(placeOf(bundle), version));
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/** Keeps what was found beside the bundle. Safe to repeat: what is kept already stays. */
export async function keepInventory(
  world: Needs,
  bundle: BundleRecord,
  version: CopiedVersion,
  taking: InventoryTaking,
): Promise<void> {
  const inventory = await taking.finish();
  const record: InventoryRecord = {
    version: 2,
    etag: version.etag,
    sizeBytes: version.sizeBytes,
    salt: randomBytes(32).toString("base64url"),
    files: inventory.files,
    lineBytes: inventory.lines.length,
    index: [...inventory.index],
    zips: [...inventory.zips],
    warnings: inventory.warnings,
    completeness: await judge(world, bundle, taking.bundle, inventory),
  };
  await world.contents.keepInventory(placeOf(bundle), record, inventory.lines);
}

/** What a path is called wherever the path itself must not stand (invariant 9). */
export const pathDigest = ({ salt }: Pick<InventoryRecord, "salt">, path: string): string =>
  createHmac("sha256", Buffer.from(salt, "base64url")).update(path).digest("hex");

async function judge(world: Needs, bundle: BundleRecord, source: Source, inventory: Inventory): Promise<Completeness> {
  const { log, stampInformation } = inventory.beside;
  const [logText, informationText] = [await smallText(source, log), await smallText(source, stampInformation)];
  const information = informationText === undefined ? undefined : readStampInformation(informationText);
  const stamp = information === undefined ? undefined : asStamp((await world.stamps.head(bundle.stampId)).state);
  return completenessOf({
    asked: bundle,
    deploymentId: stamp?.deploymentId,
    zips: inventory.zips,
    warnings: inventory.warnings,
    from: inventory.from,
    to: inventory.to,
    terminatingErrors: logText === undefined ? undefined : terminatingErrors(logText),
    stampInformation: information,
    contents: inventory.contents,
  });
}

async function smallText(source: Source, entry: EntryPlace | undefined): Promise<string | undefined> {
  if (entry === undefined || entry.sizeBytes > mostBesideBytes || entry.compressedBytes > mostBesideBytes)
    return undefined;
  try {
    return textOf(await buffer(await entryContent(source, entry)));
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/** PowerShell writes UTF-16 with its mark as readily as UTF-8. */
const textOf = (bytes: Buffer): string =>
  new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8").decode(bytes);

const longestLine = 300;

const terminatingErrors = (log: string): string[] =>
  log
    .split(/\r?\n/)
    .filter((line) => line.includes("PS>TerminatingError"))
    .map((line) => line.trim().slice(0, longestLine));

const stampInformationSchema = z.object({
  CloudID: z.string().optional(),
  DeploymentID: z.string().optional(),
  StampVersion: z.string().optional(),
});

function readStampInformation(text: string): StampInformation | undefined {
  try {
    return stampInformationSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
