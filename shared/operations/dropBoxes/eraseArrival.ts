import type { Bundle, Erasure, ErasureRequest } from "../../api/bundles.ts";
import type { BundleId } from "../../api/primitives.ts";
import { senderOf } from "../../domain/dropBox.ts";
import { cancelErasure, type Eraser, eraseBundle } from "../bundles/eraseBundle.ts";
import { readErasure } from "../bundles/readBundles.ts";
import { actorOf, type Caller, type TokenCaller } from "../caller.ts";
import { requireKnown } from "../cases/view.ts";
import type { World } from "../needs.ts";
import { type DropBoxPlace, requireDropBox } from "./view.ts";

/**
 * What arrived in a drop box is deleted before its time on the customer's word, as any bundle is. They have no key to say it with, so the case system
 * says it for them and names them, also when the case is closed; engineers cannot, for it is not their data.
 */

export type Arrival = DropBoxPlace & { readonly bundleId: BundleId };

export const eraseArrival = async (
  world: World,
  caller: TokenCaller,
  arrival: Arrival,
  said: ErasureRequest,
): Promise<Bundle> => await eraseBundle(world, await forItsBox(world, caller, arrival), arrival.bundleId, said);

export const cancelArrivalErasure = async (
  world: World,
  caller: TokenCaller,
  arrival: Arrival,
  said: ErasureRequest,
): Promise<Bundle> => await cancelErasure(world, await forItsBox(world, caller, arrival), arrival.bundleId, said);

export async function readArrivalErasure(world: World, caller: Caller, arrival: Arrival): Promise<Erasure> {
  requireKnown(await world.cases.head(arrival.caseNumber), caller);
  requireDropBox(await world.stamps.head(senderOf(arrival.dropBoxId)), arrival);
  return await readErasure(world, caller, senderOf(arrival.dropBoxId), arrival.bundleId);
}

async function forItsBox({ cases, stamps }: World, caller: TokenCaller, place: DropBoxPlace): Promise<Eraser> {
  requireKnown(await cases.head(place.caseNumber), caller);
  const stampId = senderOf(place.dropBoxId);
  const head = await stamps.head(stampId);
  requireDropBox(head, place);
  return {
    stampId,
    actor: actorOf(caller),
    head,
    requireSender: (standing) => requireDropBox(standing, place),
  };
}
