import { join } from "node:path";
import * as z from "zod";
import { formWithoutHash, readJson, sha256Hex } from "./canonical.ts";
import { anEvent, beforeTheFirst, type Event, faults, type Head, malformed } from "./chain.ts";
import type { Checkpoint } from "./checkpoints.ts";
import { type Leaf, openTrees, type PartitionLeaves, placeOfLeaf, readLeaves } from "./leaves.ts";
import { lines, textOf } from "./lines.ts";
import { type Glance, glanceAt } from "./next.ts";
import { type Complain, placeOf } from "./problem.ts";

/** The events of an export in one pass, beside the leaves of the checkpoints: chains, order, and that what was sealed is there. */

export const eventsFile = "events.ndjson";

const ofTheService = "service";

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

export function readLedger(
  directory: string,
  checkpoints: ReadonlyMap<number, Checkpoint>,
  complain: Complain,
): Ledger {
  const trees = openTrees(checkpoints, complain);
  const leaves = readLeaves(directory, complain);
  const sealings = new Map<number, Sealing>();
  let waiting = leaves.next();
  let [events, partitions] = [0, 0];
  let here = openPartition("", [], complain);

  const enter = (partition: string): void => {
    here.close();
    while (!waiting.done && waiting.value.partition < partition) {
      missing(waiting.value, complain);
      trees.add(waiting.value);
      waiting = leaves.next();
    }
    let own: readonly Leaf[] = [];
    if (!waiting.done && waiting.value.partition === partition) {
      own = waiting.value.leaves;
      trees.add(waiting.value);
      waiting = leaves.next();
    }
    here = openPartition(partition, own, complain);
    partitions += 1;
  };

  for (const line of lines(join(directory, eventsFile), complain)) {
    events += 1;
    const { bytes, number } = line;
    if (here.glance(bytes, number)) continue;
    const text = textOf(line, eventsFile, complain);
    if (text === undefined) continue;
    const value = readJson(text);
    const event = readEvent(value, number, complain);
    if (event === undefined) continue;
    if (event.partition !== here.partition) {
      if (event.partition < here.partition) outOfOrder(event, number, here.partition, complain);
      enter(event.partition);
    }
    here.add(event, number, formWithoutHash(text, value));
    if (event.type === "checkpoint.sealed") note(event, sealings);
  }
  here.close();
  for (; !waiting.done; waiting = leaves.next()) {
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
  // The service's own events are read: they tell of the checkpoints.
  const glance: Glance = partition === ofTheService ? () => undefined : glanceAt(partition);
  let before: Head = beforeTheFirst;
  const stand = (head: Head, number: number): void => {
    before = head;
    const leaf = awaited.get(head.seq);
    if (leaf === undefined) return;
    awaited.delete(head.seq);
    if (leaf.hash === head.hash) return;
    const message = `has hash ${head.hash}; checkpoint ${leaf.checkpoint} saw ${leaf.hash} (${placeOfLeaf(leaf)})`;
    complain({ code: "NotAsSealed", place: placeOf(eventsFile, number, partition, head.seq), message });
  };
  return {
    partition,
    /** Whether the line is the next event of the partition and nothing is wrong with it; where false, it is as if it had not been shown. */
    glance: (bytes: Buffer, number: number): boolean => {
      const hash = glance(bytes, before);
      if (hash !== undefined) stand({ seq: before.seq + 1, hash }, number);
      return hash !== undefined;
    },
    /** `form` is that of the event without its hash, where its line is canonical. */
    add: (event: Event, number: number, form: string | undefined): void => {
      const wrong = (code: string, message: string) =>
        complain({ code, place: placeOf(eventsFile, number, partition, event.seq), message });
      if (form === undefined) wrong("NotCanonical", "is not the RFC 8785 form of what it says");
      else for (const { code, message } of faults(event, sha256Hex(form), before)) wrong(code, message);
      stand({ seq: event.seq, hash: event.hash }, number);
    },
    close: (): void => {
      for (const leaf of awaited.values()) complain(gone(leaf));
    },
  };
}

const missing = ({ leaves }: PartitionLeaves, complain: Complain): void => {
  for (const leaf of leaves) complain(gone(leaf));
};

const gone = (leaf: Leaf) => ({
  code: "EventMissing",
  place: placeOfLeaf(leaf),
  message: `was sealed by checkpoint ${leaf.checkpoint}; ${eventsFile} has no event ${leaf.seq} of ${leaf.partition}`,
});

function outOfOrder({ partition, seq }: Event, number: number, after: string, complain: Complain): void {
  const place = placeOf(eventsFile, number, partition, seq);
  complain({ code: "OutOfOrder", place, message: `stands after those of ${after}` });
}

function note({ partition, data }: Event, sealings: Map<number, Sealing>): void {
  const said = sealed.safeParse(data).data;
  if (partition === ofTheService && said !== undefined) sealings.set(said.seq, said);
}
