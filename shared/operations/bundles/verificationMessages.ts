import type { World } from "../needs.ts";
import { delayVerification } from "./delayVerification.ts";
import { verificationMessage, verifyBundle } from "./verifyBundle.ts";

/** What the verification queue delivers, parsed at the edge. A message that is none of ours is said aloud and dropped: no try would help it. */

export async function verifyMessage(world: World, message: unknown): Promise<void> {
  const parsed = verificationMessage.safeParse(message);
  if (parsed.success) await verifyBundle(world, parsed.data);
  else world.log.alert("verification.malformedMessage");
}

/** A message that failed five times: the bundle stays `submitted`, and the sweeper tries again. */
export async function notePoisonedVerification(world: World, message: unknown): Promise<void> {
  const parsed = verificationMessage.safeParse(message);
  world.log.alert("verification.poisoned", parsed.success ? parsed.data : {});
  if (parsed.success) await delayVerification(world, parsed.data, new Error("The message failed five times"));
}
