import * as z from "zod";
import { type DropBoxId, dropBoxId, toUtcTime } from "../../api/primitives.ts";
import { type DropBoxRecord, secondsToNextTurn } from "../../domain/dropBox.ts";
import { instant } from "../../domain/retention.ts";
import type { World } from "../needs.ts";
import { type BoxTurn, endTurn, Overtaken, takeTurn } from "./boxTurn.ts";
import { boxWork } from "./boxWork.ts";
import { finishClosing } from "./finishClosing.ts";
import { type BoxBundles, bundlesOf, type Round, takeArrivals } from "./takeArrivals.ts";

/** What the queue carries. */
export const emptyingMessage = z.object({ dropBoxId });

/** How long one message works on a box before it makes way for others, and how many rounds it makes: one that takes, one that confirms, one more. */
const turnMs = 20_000;
const roundsPerTurn = 3;

/** When the sweeper asks again after a turn that failed. */
const retryAfterMs = 30_000;

/**
 * One turn at emptying a box that is closing. Once a round finds nothing new and every bundle of the box is copied or ended, the box is sealed: no
 * file is taken any more, and its container may go. Whatever dies on the way, the next turn goes on from what is written.
 */
export async function emptyDropBox(world: World, id: DropBoxId): Promise<void> {
  const claimed = await takeTurn(world, id);
  if (claimed === undefined) return;
  const { box, turn } = claimed;
  try {
    const emptied = box.emptied ?? (await empty(world, turn, box));
    if (emptied === undefined) {
      const seconds = secondsToNextTurn(box, world.clock.now());
      return await world.queue.send({ dropBoxId: id }, seconds);
    }
    await endTurn(world, turn, { emptied });
    await finishClosing(world, { ...box, emptied });
  } catch (error) {
    if (error instanceof Overtaken) return;
    world.log.error("dropBox.emptyLater", error, { dropBoxId: id });
    await world.schedule.remember(boxWork(box), new Date(world.clock.now().getTime() + retryAfterMs));
    await endTurn(world, turn, {}).catch(() => {});
  }
}

type Emptied = NonNullable<DropBoxRecord["emptied"]>;

/** What the box held, where nothing in it is needed any more; undefined, with the turn ended, where another has to go on. */
async function empty(world: World, turn: BoxTurn, box: DropBoxRecord): Promise<Emptied | undefined> {
  const bundles = await bundlesOf(world, box);
  // Its day is over: the container goes with what is in it, also where it could never be listed (invariant 3).
  if (world.clock.now().getTime() >= instant(box.purgeOn)) return arrivedIn(bundles, new Map());
  const until = world.clock.real().getTime() + turnMs;
  let { listedOn } = box;
  for (let rounds = 0; rounds < roundsPerTurn; rounds += 1) {
    const round = await takeArrivals(world, turn, { ...box, listedOn }, bundles, until);
    if (round === undefined) break;
    listedOn ??= toUtcTime(world.clock.now());
    if (round.isQuiet && bundles.waiting.size === 0) return arrivedIn(bundles, round.refused);
    if (round.isQuiet) break;
  }
  await endTurn(world, turn, { listedOn });
  return undefined;
}

/** A version that was overwritten before it was copied is no file that arrived. */
function arrivedIn({ all }: BoxBundles, refused: Round["refused"]): Emptied {
  const arrived = [...all.values()].filter(({ rejection }) => rejection?.code !== "BlobChanged");
  return {
    files: arrived.length,
    bytes: arrived.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    refused: [...refused].map(([code, files]) => ({ code, files })),
  };
}
