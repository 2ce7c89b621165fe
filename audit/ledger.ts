import { join } from "node:path";
import { z } from "zod";
import { formWithoutHash, readJson, sha256Hex } from "./canonical.ts";
import { anEvent, beforeTheFirst, type Event, faults, type Head, malformed } from "./chain.ts";
import type { Checkpoint } from "./checkpoints.ts";
import { type Leaf, openTrees, type PartitionLeaves, readLeaves } from "./leaves.ts";
import { lineBatches } from "./lines.ts";
import { type Complain, placeOf } from "./problem.ts";

/** The events of an export in one pass, beside the leaves of the checkpoints: chains, order, and that what was sealed is there. */

export const eventsFile = "events.ndjson";

const sealed = z.object({ seq: z.int(), treeSize: z.int(), rootHash: z.string(), events: z.int() });
export type Sealing = z.infer<typeof sealed>;

export type Ledger = {
  readonly events: number;
  readonly partitions: number;
  /** The checkpoints whose tree the export makes again. */
  readonly holding: ReadonlySet<number>;
  /** What the ledger itself tells of checkpoints, by seq. */
  readonly sealings: ReadonlyMap<number, Sealing>;
};

export async function readLedger(
  directory: string,
  checkpoints: ReadonlyMap<number, Checkpoint>,
  complain: Complain,
): Promise<Ledger> {
  const trees = openTrees(checkpoints, complain);
  const leaves = readLeaves(directory, complain);
  const sealings = new Map<number, Sealing>();
  let waiting = await leaves.next();
  let [events, partitions] = [0, 0];
  let here = openPartition("", [], complain);

  const enter = async (partition: string): Promise<void> => {
    here.close();
    while (!waiting.done && waiting.value.partition < partition) {
      missing(waiting.value, complain);
      trees.add(waiting.value);
      waiting = await leaves.next();
    }
    let own: readonly Leaf[] = [];
    if (!waiting.done && waiting.value.partition === partition) {
      own = waiting.value.leaves;
      trees.add(waiting.value);
      waiting = await leaves.next();
    }
    here = openPartition(partition, own, complain);
    partitions += 1;
  };

  for await (const batch of lineBatches(join(directory, eventsFile), complain)) {
    for (const { text, number } of batch) {
      events += 1;
      const value = readJson(text);
      const event = readEvent(value, number, complain);
      if (event === undefined) continue;
      if (event.partition !== here.partition) {
        if (event.partition < here.partition) outOfOrder(event, number, here.partition, complain);
        await enter(event.partition);
      }
      here.add(event, number, formWithoutHash(text, value));
      if (event.type === "checkpoint.sealed") note(event, sealings);
    }
  }
  here.close();
  for (; !waiting.done; waiting = await leaves.next()) {
    missing(waiting.value, complain);
    trees.add(waiting.value);
  }
  return { events, partitions, holding: trees.settle(), sealings };
}

function readEvent(value: unknown, number: number, complain: Complain): Event | undefined {
  const read = anEvent.safeParse(value);
  if (read.success) return read.data;
  const message = value === undefined ? "is no JSON" : malformed(read.error);
  complain({ code: "Malformed", place: placeOf(eventsFile, number), message });
  return undefined;
}

/** One partition's chain, and the leaves that its events must be. */
function openPartition(partition: string, leaves: readonly Leaf[], complain: Complain) {
  const awaited = new Map(leaves.map((leaf) => [leaf.seq, leaf]));
  let before: Head = beforeTheFirst;
  return {
    partition,
    /** `form` is that of the event without its hash, where its line is canonical. */
    add: (event: Event, number: number, form: string | undefined): void => {
      const wrong = (code: string, message: string) =>
        complain({ code, place: placeOf(eventsFile, number, partition, event.seq), message });
      if (form === undefined) wrong("NotCanonical", "is not the RFC 8785 form of what it says");
      else for (const { code, message } of faults(event, sha256Hex(form), before)) wrong(code, message);
      before = { seq: event.seq, hash: event.hash };
      const leaf = awaited.get(event.seq);
      if (leaf === undefined) return;
      awaited.delete(event.seq);
      if (leaf.hash !== event.hash)
        wrong("NotAsSealed", `has hash ${event.hash}; checkpoint ${leaf.checkpoint} saw ${leaf.hash} (${leaf.place})`);
    },
    close: (): void => {
      for (const leaf of awaited.values()) complain(gone(leaf));
    },
  };
}

const missing = ({ leaves }: PartitionLeaves, complain: Complain): void => {
  for (const leaf of leaves) complain(gone(leaf));
};

const gone = ({ checkpoint, partition, seq, place }: Leaf) => ({
  code: "EventMissing",
  place,
  message: `was sealed by checkpoint ${checkpoint}; ${eventsFile} has no event ${seq} of ${partition}`,
});

function outOfOrder({ partition, seq }: Event, number: number, after: string, complain: Complain): void {
  const place = placeOf(eventsFile, number, partition, seq);
  complain({ code: "OutOfOrder", place, message: `stands after those of ${after}` });
}

function note({ partition, data }: Event, sealings: Map<number, Sealing>): void {
  const said = sealed.safeParse(data).data;
  if (partition === "service" && said !== undefined) sealings.set(said.seq, said);
}
