import type { StampId } from "../api/primitives.ts";
import { canonicalDigest } from "../domain/digest.ts";
import type { World } from "./needs.ts";
import { operatorOf } from "./operator.ts";

/**
 * Tells a repeated request from another one of the same id: a row keeps the digest as long as it stands. So it is taken over people's subject ids;
 * one over their names would be a digest that a list of names could be tried against, after they were forgotten (invariant 9).
 */

/** SHA-256 of what a sender's operators asked, in its canonical form. */
export async function requestDigest<Asked extends { readonly consent?: { readonly decidedBy: string } | undefined }>(
  world: Pick<World, "people">,
  sender: StampId,
  asked: Asked,
): Promise<string> {
  const { consent } = asked;
  if (consent === undefined) return canonicalDigest(asked);
  const decidedBy = await operatorOf(world, sender, consent.decidedBy);
  return canonicalDigest({ ...asked, consent: { ...consent, decidedBy } });
}
