import { emptyDropBox, emptyingMessage } from "../dropBoxes/emptyDropBox.ts";
import type { World } from "../needs.ts";
import { delayVerification } from "./delayVerification.ts";
import { verificationMessage, verifyBundle } from "./verifyBundle.ts";

/** What the verification queue delivers, parsed at the edge. A message that is none of ours is said aloud and dropped: no try would help it. */

export async function verifyMessage(world: World, message: unknown): Promise<void> {
  const bundle = verificationMessage.safeParse(message);
  if (bundle.success) return await verifyBundle(world, bundle.data);
  const box = emptyingMessage.safeParse(message);
  if (box.success) return await emptyDropBox(world, box.data.dropBoxId);
  world.log.alert("verification.malformedMessage");
}

/** A message that failed five times: the bundle stays `submitted`, the box `closing`, and the sweeper tries again. */
export async function notePoisonedVerification(world: World, message: unknown): Promise<void> {
  const parsed = verificationMessage.safeParse(message);
  const box = emptyingMessage.safeParse(message);
  world.log.alert("verification.poisoned", parsed.success ? parsed.data : box.success ? box.data : {});
  if (parsed.success) await delayVerification(world, parsed.data, new Error("The message failed five times"));
}
