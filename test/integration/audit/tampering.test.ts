import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyExport } from "../../../audit/verify.ts";
import {
  byPlace,
  chained,
  type Event,
  type Exported,
  form,
  type Happening,
  history,
  type Leaf,
  live,
  openSigner,
  type Signer,
  write,
} from "./support/ledger.ts";

/** [invariant 10] Whatever is done to an export, an auditor with a key or a checkpoint of their own finds it. */

let directory: string;
let signer: Signer;
let whole: Exported;
const cases = new Map<string, number>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-tampering-"));
  signer = await openSigner("k1");
  whole = await live(history, signer);
  await writeFile(since(), whole.checkpoints.at(-1)?.checkpoint ?? "");
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  const total = [...cases.values()].reduce((sum, count) => sum + count, 0);
  console.info(`${total} tampered exports found: ${[...cases].map(([name, count]) => `${count} ${name}`).join(", ")}`);
});

const since = () => join(directory, "held.jws");
type Anchor = "trust" | "since";

async function codes(exported: Exported, anchors: readonly Anchor[]): Promise<string[]> {
  await write(directory, exported);
  const found: string[] = [];
  const asked = {
    trusted: anchors.includes("trust") ? [signer.thumbprint] : [],
    since: anchors.includes("since") ? since() : undefined,
  };
  await verifyExport(directory, asked, new Date("2026-12-01"), ({ code }) => void found.push(code));
  return found;
}

/** Each of the anchors alone finds it. */
async function finds(name: string, tampered: Partial<Exported>, anchors: readonly Anchor[] = ["trust", "since"]) {
  for (const anchor of anchors)
    expect(await codes({ ...whole, ...tampered }, [anchor]), `${name}, ${anchor}`).not.toEqual([]);
  cases.set(name, (cases.get(name) ?? 0) + 1);
}

type Path = readonly string[];

/** Every place of a JSON value below its top. */
const paths = (value: unknown): Path[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => [[key], ...paths(inner).map((path) => [key, ...path])]);

function altered<T>(value: T, path: Path, to: (was: unknown) => unknown): T {
  const copy = structuredClone(value);
  let at = Object(copy);
  for (const key of path.slice(0, -1)) at = at[key];
  const last = path.at(-1) ?? "";
  const next = to(at[last]);
  if (next === undefined) delete at[last];
  else at[last] = next;
  return copy;
}

const another = (was: unknown): unknown => {
  // Twice, as 1.5e300 and one more are the same number.
  if (typeof was === "number") return was * 2 + 1;
  if (typeof was !== "string") return "else";
  return /^[0-9a-f]{64}$/.test(was) ? was.replace(/./, (digit) => (digit === "f" ? "0" : "f")) : `${was}.`;
};

const eachEvent = () => whole.events.map((event, index) => ({ event, index }));
/** What the newest checkpoint covers. */
const isSealed = ({ partition, seq }: Event) => leafOf(whole, partition).seq >= seq;
const leafOf = ({ leaves }: Exported, partition: string): Leaf => {
  const found = leaves.findLast((leaf) => leaf.partition === partition);
  if (found === undefined) throw new Error(`no leaf of ${partition}`);
  return found;
};

test("as it was, it holds", async () => {
  expect(await codes(whole, ["trust", "since"])).toEqual([]);
});

describe("an event", () => {
  test("with any field altered or left out", async () => {
    for (const { event, index } of eachEvent()) {
      for (const path of paths(event)) {
        for (const to of [another, () => undefined]) {
          await finds("altered fields", { events: whole.events.with(index, altered(event, path, to)) });
        }
      }
      for (const key of ["added", "data2", "~"])
        await finds("added fields", { events: whole.events.with(index, Object.assign({}, event, { [key]: 1 })) });
    }
  });

  test("with any field made something else", async () => {
    const place = fc.nat(whole.events.length - 1);
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), fc.jsonValue({ maxDepth: 1 }), async (at, which, to) => {
        const event = whole.events[at];
        const places = paths(event);
        const tampered = altered(event, places[which % places.length] ?? [], () => to);
        fc.pre(tampered !== undefined && form(tampered) !== form(event));
        if (tampered !== undefined) await finds("altered fields, random", { events: whole.events.with(at, tampered) });
      }),
      { numRuns: 300 },
    );
  });

  test("altered and hashed anew, alone or with its leaf", async () => {
    for (const { event, index } of eachEvent().filter((each) => isSealed(each.event))) {
      const forged = chained({ ...event, type: "bundle.purged" }, { seq: event.seq - 1, hash: event.prevHash });
      const events = whole.events.with(index, forged);
      await finds("events hashed anew", { events });
      const leaves = whole.leaves.map((leaf) => (leaf.hash === event.hash ? { ...leaf, hash: forged.hash } : leaf));
      await finds("events hashed anew with their leaves", { events, leaves });
    }
  });

  test("deleted, doubled, inserted", async () => {
    for (const { event, index } of eachEvent()) {
      if (isSealed(event)) await finds("deleted", { events: whole.events.toSpliced(index, 1) });
      await finds("doubled", { events: whole.events.toSpliced(index, 0, event) });
      const fresh = chained({ ...event, type: "url.issued" }, { seq: event.seq - 1, hash: event.prevHash });
      await finds("inserted", { events: whole.events.toSpliced(index, 0, fresh) });
    }
  });

  test("in another order", async () => {
    for (const one of whole.events.keys()) {
      for (const other of whole.events.keys()) {
        const [first, second] = [whole.events[one], whole.events[other]];
        if (one >= other || first === undefined || second === undefined) continue;
        await finds("two exchanged", { events: whole.events.with(one, second).with(other, first) });
      }
    }
    await finds("all the other way round", { events: whole.events.toReversed() });
  });
});

/** The partition's events from `from` on, chained after what stands before them. */
function rechained(partition: string, from: number, change: (event: Event) => Happening | undefined): Event[] {
  const kept = whole.events.filter((event) => event.partition !== partition || event.seq < from);
  let before = kept.findLast((event) => event.partition === partition);
  for (const event of whole.events.filter((each) => each.partition === partition && each.seq >= from)) {
    const next = event.seq === from ? change(event) : event;
    if (next === undefined) continue;
    before = chained(next, before);
    kept.push(before);
  }
  return kept.sort(byPlace);
}

/** Leaves that fit other events. */
const fitted = (events: readonly Event[]): Leaf[] =>
  whole.leaves.flatMap((leaf) => {
    const own = events.filter((event) => event.partition === leaf.partition);
    const found = own.find((event) => event.seq === leaf.seq) ?? own.at(-1);
    return found === undefined ? [] : [{ ...leaf, seq: found.seq, hash: found.hash }];
  });

describe("a partition", () => {
  test("chained anew after an edit or a deletion, with and without its leaves", async () => {
    for (const { event } of eachEvent().filter((each) => isSealed(each.event))) {
      for (const change of [(was: Event) => ({ ...was, on: "2026-01-01T00:00:00.000Z" }), () => undefined]) {
        const events = rechained(event.partition, event.seq, change);
        await finds("chained anew", { events });
        await finds("chained anew with their leaves", { events, leaves: fitted(events) });
      }
    }
  });

  test("cut off before the held checkpoint, at any place, with and without its leaves", async () => {
    for (const { event } of eachEvent().filter((each) => isSealed(each.event))) {
      const { partition, seq } = event;
      const events = whole.events.filter((each) => each.partition !== partition || each.seq < seq);
      await finds("tails cut", { events });
      await finds("tails cut with their leaves", { events, leaves: fitted(events) });
    }
  });

  test("dropped", async () => {
    for (const partition of new Set(whole.events.map((event) => event.partition))) {
      const others = <T extends { partition: string }>(all: readonly T[]) =>
        all.filter((each) => each.partition !== partition);
      await finds("partitions dropped", { events: others(whole.events) });
      await finds("partitions dropped with their leaves", {
        events: others(whole.events),
        leaves: others(whole.leaves),
      });
      await finds("leaves dropped", { leaves: others(whole.leaves) });
    }
  });

  test("swapped with another, in place or in name", async () => {
    const partitions = [...new Set(whole.events.map((event) => event.partition))];
    for (const one of partitions) {
      for (const other of partitions.filter((name) => name > one)) {
        const swap = (name: string) => (name === one ? other : name === other ? one : name);
        const renamed = whole.events.map((event) => ({ ...event, partition: swap(event.partition) })).sort(byPlace);
        await finds("partitions swapped", { events: renamed });
        const chains = new Map<string, Event>();
        const anew = renamed.map((event) => {
          const next = chained(event, chains.get(event.partition));
          chains.set(event.partition, next);
          return next;
        });
        await finds("partitions swapped and chained anew", { events: anew });
        await finds("partitions swapped and chained anew with their leaves", { events: anew, leaves: fitted(anew) });
        const placed = [...whole.events].sort((a, b) =>
          byPlace({ ...a, partition: swap(a.partition) }, { ...b, partition: swap(b.partition) }),
        );
        await finds("partitions swapped in place", { events: placed });
      }
    }
  });
});

describe("a checkpoint", () => {
  test("altered, deleted, doubled or exchanged", async () => {
    for (const [index, sealed] of whole.checkpoints.entries()) {
      for (const path of paths(sealed)) {
        for (const to of [another, () => undefined])
          await finds("checkpoint lines altered", {
            checkpoints: whole.checkpoints.with(index, altered(sealed, path, to)),
          });
      }
      await finds("checkpoints doubled", { checkpoints: whole.checkpoints.toSpliced(index, 0, sealed) });
      const without = whole.checkpoints.toSpliced(index, 1);
      await finds("checkpoints deleted", { checkpoints: without }, index < 3 ? ["trust", "since"] : ["since"]);
      const next = whole.checkpoints[index + 1];
      if (next !== undefined)
        await finds("checkpoints exchanged", {
          checkpoints: whole.checkpoints.with(index, next).with(index + 1, sealed),
        });
    }
  });

  test("with a claim altered, under its own signature or under another key", async () => {
    const other = await openSigner("k2");
    for (const [index, sealed] of whole.checkpoints.entries()) {
      const [header = "", payload = "", signature = ""] = sealed.checkpoint.split(".");
      const claims: object = JSON.parse(Buffer.from(payload, "base64url").toString());
      for (const path of paths(claims)) {
        const said = altered(claims, path, another);
        const kept = `${header}.${Buffer.from(JSON.stringify(said)).toString("base64url")}.${signature}`;
        for (const checkpoint of [kept, await other.sign(said)]) {
          const checkpoints = whole.checkpoints.with(index, { ...sealed, checkpoint });
          await finds("checkpoints replaced", { checkpoints, keys: [...whole.keys, other.jwk] });
        }
      }
    }
  });

  test("with a leaf altered, deleted or doubled", async () => {
    for (const [index, leaf] of whole.leaves.entries()) {
      for (const path of paths(leaf))
        await finds("leaves altered", { leaves: whole.leaves.with(index, altered(leaf, path, another)) });
      await finds("leaves deleted", { leaves: whole.leaves.toSpliced(index, 1) });
      await finds("leaves doubled", { leaves: whole.leaves.toSpliced(index, 0, leaf) });
    }
  });
});

describe("a history that never was", () => {
  test("lived anew and signed with another key: consistent by itself, and found by either anchor", async () => {
    for (const kid of ["k1", "k2"]) {
      const other = await openSigner(kid);
      for (const [index, step] of history.entries()) {
        if (step === "seal") continue;
        for (const changed of [[{ ...step, on: "2026-01-01T00:00:00.000Z" }], []]) {
          const forged = await live(history.toSpliced(index, 1, ...changed), other);
          expect(await codes(forged, [])).toEqual([]);
          await finds("histories lived anew under another key", forged);
        }
      }
      const same = await live(history, other);
      expect(await codes(same, [])).toEqual([]);
      await finds("histories signed anew", same);
      await finds("histories signed anew beside the service's key", { ...same, keys: [...same.keys, ...whole.keys] });
    }
  });

  test("lived anew and signed by the service itself: found by the checkpoint that is held", async () => {
    for (const [index, step] of history.entries()) {
      if (step === "seal" || index > history.lastIndexOf("seal")) continue;
      const forged = await live(history.toSpliced(index, 1, { ...step, type: "bundle.purged" }), signer);
      expect(await codes(forged, ["trust"])).toEqual([]);
      await finds("histories that the service signed twice", forged, ["since"]);
    }
  });

  test("cut off whole, to what it was days ago: found by the checkpoint that is held", async () => {
    for (let length = 0; length < history.lastIndexOf("seal"); length += 1) {
      await finds("exports of an earlier day", await live(history.slice(0, length), signer), ["since"]);
    }
  });
});
