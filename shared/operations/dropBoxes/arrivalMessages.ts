import * as z from "zod";
import { boxOfContainer } from "../../domain/containers.ts";
import { quietOn, senderOf } from "../../domain/dropBox.ts";
import type { World } from "../needs.ts";
import { boxWork } from "./boxWork.ts";
import { inServiceTime } from "./inServiceTime.ts";
import { asDropBox } from "./view.ts";

/**
 * What Event Grid says of writes to drop boxes, in its own schema or as CloudEvents 1.0. Such a message may be late, come twice, or be forged: it
 * decides nothing. It moves the next look at a box that takes files to a day after the write; what is in the box, its listing tells.
 */

const data = z.object({ api: z.string() });
const subject = z.string().regex(/^\/blobServices\/default\/containers\/[^/]+\/blobs\/.+$/s);
const source = z.string().regex(/\/storageAccounts\/[^/]+$/i);
const time = z.iso.datetime({ offset: true });
const blobCreated = z.literal("Microsoft.Storage.BlobCreated");

const eventGridEvent = z
  .object({ topic: source, subject, eventType: blobCreated, eventTime: time, data })
  .transform(({ topic, eventTime, ...rest }) => ({ ...rest, source: topic, time: eventTime }));
const cloudEvent = z.object({ specversion: z.literal("1.0"), source, subject, type: blobCreated, time, data });

export const blobCreatedMessage = z.union([eventGridEvent, cloudEvent]);

/** The calls that commit a block blob; a block by itself is no file yet. */
const commits: readonly string[] = ["PutBlob", "PutBlockList"];

/** Never throws: a message that cannot be noted is no loss, and one that is none of ours would only come back. */
export async function noteArrival(world: World, message: unknown): Promise<void> {
  const parsed = blobCreatedMessage.safeParse(message);
  if (!parsed.success) return world.log.info("dropBox.malformedArrival");
  const { data, source, subject, time } = parsed.data;
  const container = subject.split("/")[4] ?? "";
  const named = boxOfContainer(container);
  if (named === undefined || !commits.includes(data.api))
    return world.log.info("dropBox.arrivalIgnored", { api: data.api });
  const { dropBoxId } = named;
  try {
    const box = asDropBox(await world.stamps.head(senderOf(dropBoxId)));
    const isItsOwn = box?.container === container && source.toLowerCase().endsWith(`/${box.account.toLowerCase()}`);
    if (!isItsOwn) return world.log.info("dropBox.arrivalIgnored", { dropBoxId });
    if (box.state !== "open") return world.log.info("dropBox.lateArrival", { dropBoxId, state: box.state });
    const now = world.clock.now();
    const writtenOn = Math.min(inServiceTime(world.clock, new Date(time)).getTime(), now.getTime());
    await world.schedule.remember(boxWork(box), quietOn(box, new Date(writtenOn)));
  } catch (error) {
    world.log.error("dropBox.arrivalNotNoted", error, { dropBoxId });
  }
}
