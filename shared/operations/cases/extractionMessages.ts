import { z } from "zod";
import { bundleId, sha256Hex, stampId } from "../../api/primitives.ts";
import { utcDaySchema } from "../../domain/utcDay.ts";
import type { World } from "../needs.ts";
import { extractQueued } from "./extractFile.ts";

/** What the queue carries: the digest stands for the path, which is kept in the bundle's day container alone. */
const extractionMessage = z.object({ stampId, bundleId, digest: sha256Hex, lentOn: utcDaySchema });

/** A message that is none of ours is said aloud and dropped: it would only come again. */
export async function extractMessage(world: World, message: unknown): Promise<void> {
  const parsed = extractionMessage.safeParse(message);
  if (parsed.success) await extractQueued(world, parsed.data);
  else world.log.alert("extraction.malformedMessage");
}
