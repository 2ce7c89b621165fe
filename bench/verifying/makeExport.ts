import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import canonicalize from "canonicalize";
import { toUtcTime, utcTime } from "../../shared/api/primitives.ts";
import {
  type CheckpointLeaf,
  type CheckpointRecord,
  checkpointHash,
  leafForm,
} from "../../shared/domain/checkpoint.ts";
import { type ChainPosition, chain, chainStart, theService } from "../../shared/domain/event.ts";
import { merkleTree } from "../../shared/domain/merkle.ts";
import { startOfDay } from "../../shared/domain/utcDay.ts";
import { openSigner, type Signer } from "../../test/integration/audit/support/ledger.ts";
import { caseDays, type Day, dayAt, daysOfHistory, newCaseNumber, serviceDay, stampDays } from "./happenings.ts";

/**
 * Writes an export of a made-up service, chained and sealed by the service's own domain code: a checkpoint a day, each over every partition. Events
 * go to the file as they are made; the leaves that changed are kept until the checkpoints over them are sealed.
 */

export type Export = {
  readonly directory: string;
  readonly thumbprint: string;
  readonly events: number;
  readonly partitions: number;
  readonly checkpoints: number;
  readonly leaves: number;
};

/** Of a hundred events these stand in the partitions of cases. */
const ofCases = 5;

export async function makeExport(directory: string, events: number): Promise<Export> {
  const signer = await openSigner("made-up");
  const changed = new Map<string, Leaf[]>();
  const [eventsFile, stampsFile] = [join(directory, "events.ndjson"), join(directory, "stamps.part")];
  const ownEvents =
    daysOfHistory + Array.from({ length: daysOfHistory }, (_, index) => serviceDay(index)).flat().length;
  const caseEvents = Math.floor((events * ofCases) / 100);
  const cases = Array.from({ length: caseEvents }, newCaseNumber);
  const stamps = Array.from({ length: events - ownEvents - caseEvents }, () => randomUUID());
  await write(eventsFile, partitions("cases", cases, caseDays, caseEvents, changed));
  await write(stampsFile, partitions("stamps", stamps, stampDays, events - ownEvents - caseEvents, changed));
  const sealed = await sealAll(changed, signer);
  await write(eventsFile, sealed.lines, "a");
  await pipeline(createReadStream(stampsFile), createWriteStream(eventsFile, { flags: "a" }));
  await rm(stampsFile);
  await write(join(directory, "checkpoints.ndjson"), sealed.checkpoints.map(publicLine));
  await write(
    join(directory, "leaves.ndjson"),
    inOrder(changed).flatMap(([, leaves]) => leaves.map(line)),
  );
  await write(join(directory, "keys.json"), [line({ keys: [signer.jwk] })]);
  const leaves = [...changed.values()].reduce((sum, each) => sum + each.length, 0);
  const { thumbprint } = signer;
  return { directory, thumbprint, events, partitions: changed.size, checkpoints: sealed.checkpoints.length, leaves };
}

type Leaf = CheckpointLeaf & { readonly checkpoint: number };
type Changed = Map<string, Leaf[]>;

const line = (value: unknown): string => `${canonicalize(value)}\n`;
const publicLine = ({ seq, sealedOn, checkpoint }: CheckpointRecord): string => line({ seq, sealedOn, checkpoint });
const write = (file: string, lines: Iterable<string>, flags = "w"): Promise<void> =>
  pipeline(Readable.from(lines), createWriteStream(file, { flags }));
const inOrder = (changed: Changed) => [...changed].sort(([one], [other]) => (one < other ? -1 : 1));

/** The lines of that many events, partition after partition in the order of their names; says of each how every day's checkpoint saw it. */
function* partitions(
  kind: string,
  names: string[],
  daysOf: (name: string) => Iterable<Day>,
  events: number,
  changed: Changed,
): Generator<string> {
  let left = events;
  for (const name of names.sort()) {
    const partition = openPartition(`${kind}/${name}`, changed);
    for (const [index, day] of [...daysOf(name)].entries()) {
      const lines = partition.add(index, day.slice(0, left));
      left -= lines.length;
      partition.seal(index);
      yield lines.join("");
    }
    if (left === 0) return;
  }
}

function openPartition(partition: string, changed: Changed) {
  let position: ChainPosition = chainStart;
  return {
    /** Chains what happened on the day of that index. */
    add: (index: number, day: Day): string[] => {
      const on = utcTime.parse(`${startOfDay(dayAt(index)).toISOString().slice(0, 10)}T10:00:00.000Z`);
      const chained = chain(partition, position, on, day);
      position = chained.at(-1) ?? position;
      return chained.map(line);
    },
    /** The day's checkpoint sees it as it is now. */
    seal: (index: number): void => {
      const leaves = changed.get(partition) ?? [];
      const { seq, hash } = position;
      if (seq === 0 || leaves.at(-1)?.seq === seq) return;
      changed.set(partition, [...leaves, { checkpoint: index + 1, partition, seq, hash }]);
    },
  };
}

/** Seals each day over what changed, and gives the service's own events, which tell of the checkpoints. */
async function sealAll(
  changed: Changed,
  signer: Signer,
): Promise<{ lines: string[]; checkpoints: CheckpointRecord[] }> {
  const service = openPartition("service", changed);
  const lines: string[] = [];
  const checkpoints: CheckpointRecord[] = [];
  for (let index = 0; index < daysOfHistory; index += 1) {
    lines.push(...service.add(index, serviceDay(index)));
    service.seal(index);
    const seq = index + 1;
    const tree = treeAsOf(changed, seq);
    const sealedOn = toUtcTime(new Date(startOfDay(dayAt(index)).getTime() + 86_000_000));
    const [iat, jti] = [Math.floor(Date.parse(sealedOn) / 1000), randomUUID()];
    const claims = { iss: "https://intake.example", iat, jti, sealedOn, ...tree, seq };
    const checkpoint = await signer.sign({ ...claims, prevHash: checkpointHash(checkpoints.at(-1)) });
    checkpoints.push({ seq, sealedOn, checkpoint, run: jti });
    lines.push(...service.add(index, [{ type: "checkpoint.sealed", actor: theService, data: { seq, ...tree } }]));
  }
  return { lines, checkpoints };
}

function treeAsOf(changed: Changed, seq: number): { treeSize: number; rootHash: string; events: number } {
  const tree = merkleTree();
  let events = 0;
  for (const [, leaves] of inOrder(changed)) {
    const standing = leaves.findLast(({ checkpoint }) => checkpoint <= seq);
    if (standing === undefined) continue;
    tree.add(leafForm(standing));
    events += standing.seq;
  }
  return { treeSize: tree.size(), rootHash: tree.root().toString("hex"), events };
}
