import { join } from "node:path";
import { awaitVerdict, sendBundle, uploadMemory } from "../../client/index.ts";
import { timed } from "../rounds.ts";
import { type Stage, sentNow } from "../stage.ts";

/** Ours: create, hash, blocks, commit, submit. The verification that follows is waited for, so that it slows nobody else, and not counted. */
export async function uploadByClient({ stamp, folder }: Stage, path: string, blocks: Blocks): Promise<number> {
  const description = await sentNow(stamp);
  const memory = uploadMemory(join(folder, "uploads"));
  let bundleId = "";
  const time = await timed(async () => {
    const { bundle } = await sendBundle(stamp, path, description, { memory, wait: false, ...blocks });
    bundleId = bundle.bundleId;
  });
  const { state, rejection } = await awaitVerdict(stamp, bundleId);
  if (state !== "accepted") throw new Error(`The bundle is ${state}: ${rejection?.message}`);
  return time;
}

/** How a file is cut, and how many parts are on their way at a time. */
export type Blocks = { readonly blockSizeBytes: number; readonly concurrency: number };
