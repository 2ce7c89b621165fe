import { createWriteStream } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { formOf } from "./canonical.ts";
import { checkpointsFile, keysFile } from "./checkpoints.ts";
import { leavesFile } from "./leaves.ts";
import { eventsFile } from "./ledger.ts";
import { readItems, readOne, readPages, type Service, Unreadable } from "./service.ts";

/**
 * Writes what `verify` needs: `events.ndjson`, `checkpoints.ndjson`, `leaves.ndjson`, `keys.json`. Events pass page by page; the leaves that
 * changed are held until they are sorted. Checkpoints come first: whatever they cover is then among the events.
 */

export type Exported = { readonly events: number; readonly checkpoints: number };

/** Throws `Unreadable` where the folder may not be written or the service cannot be read. */
export async function exportLedger(service: Service, directory: string, force: boolean): Promise<Exported> {
  await prepare(directory, force);
  const checkpoints = await gather(readItems(service, "/compliance/checkpoints", checkpointShape));
  await write(directory, checkpointsFile, checkpoints.map(line));
  await write(directory, leavesFile, await changedLeaves(service, checkpoints));
  let events = 0;
  const counted = async function* () {
    for await (const page of readPages(service, "/compliance/events")) {
      events += page.length;
      yield page.map(line).join("");
    }
  };
  await write(directory, eventsFile, counted());
  // Last: a key that has signed is published by now.
  const keys = await readOne(service, "/.well-known/jwks.json", z.looseObject({ keys: z.array(z.unknown()) }));
  await write(directory, keysFile, [line(keys)]);
  return { events, checkpoints: checkpoints.length };
}

const checkpointShape = z.object({ seq: z.int(), sealedOn: z.string(), checkpoint: z.string() });
const leafShape = z.object({ partition: z.string(), seq: z.int(), hash: z.string() });

async function prepare(directory: string, force: boolean): Promise<void> {
  const present = await mkdir(directory, { recursive: true })
    .then(() => readdir(directory))
    .catch((cause: unknown) => {
      throw new Unreadable(`${directory} is no folder that can be written.`, { cause });
    });
  if (present.length > 0 && !force)
    throw new Unreadable(`${directory} is not empty. Name another folder, or write over its export with --force.`);
}

/** Each leaf where it differs from the checkpoint before, by partition and checkpoint. */
async function changedLeaves(service: Service, checkpoints: readonly { seq: number }[]): Promise<Iterable<string>> {
  const changed = new Map<string, { seq: number; lines: string[] }>();
  for (const { seq: checkpoint } of checkpoints) {
    for await (const leaf of readItems(service, `/compliance/checkpoints/${checkpoint}/leaves`, leafShape)) {
      const known = changed.get(leaf.partition);
      if (known?.seq === leaf.seq) continue;
      const lines = known?.lines ?? [];
      lines.push(line({ checkpoint, ...leaf }));
      changed.set(leaf.partition, { seq: leaf.seq, lines });
    }
  }
  return [...changed].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, { lines }]) => lines);
}

function line(value: unknown): string {
  const form = formOf(value);
  if (form === undefined) throw new Unreadable("The service lists something that has no canonical form.");
  return `${form}\n`;
}

const write = (directory: string, file: string, lines: Iterable<string> | AsyncIterable<string>): Promise<void> =>
  pipeline(Readable.from(lines), createWriteStream(join(directory, file)));

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
