import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { chainedEvent, eventHash } from "../../../shared/domain/event.ts";
import { readAll } from "../../support/system/world.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** What is copied to where nobody can rewrite it: sealed checkpoints and the ledger between them. */

const stages = useStages();

const settings = {
  CHECKPOINT_CONTAINER_URL: "https://records.example/checkpoints",
  LEDGER_EXPORT_CONTAINER_URL: "https://records.example/ledger/",
};

async function withRecords(): Promise<Stage> {
  const stage = stages({ settings });
  await Promise.all(["checkpoints", "ledger"].map((name) => stage.blobs.getContainerClient(name).create()));
  return stage;
}

async function kept(stage: Stage, container: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const client = stage.blobs.getContainerClient(container);
  for await (const { name } of client.listBlobsFlat()) {
    const { readableStreamBody } = await client.getBlobClient(name).download();
    if (readableStreamBody !== undefined) found.set(name, (await buffer(readableStreamBody)).toString());
  }
  return found;
}

const linesOf = (texts: Iterable<string>) =>
  [...texts].flatMap((text) => text.split("\n").filter((line) => line !== ""));
const checkpointsShape = z.array(z.object({ checkpoint: z.string() }));
const eventsShape = z.array(chainedEvent);
const eventsIn = (texts: Iterable<string>) => eventsShape.parse(linesOf(texts).map((line) => JSON.parse(line)));

describe("[invariant 10] records", () => {
  test("are every checkpoint as it was sealed, and the ledger up to it, each event once", async () => {
    const stage = await withRecords();
    await stage.registeredStamp();
    await stage.app.timers.sealCheckpoint();
    await stage.registeredStamp();
    await stage.app.timers.sealCheckpoint();

    const auditor = await stage.person("A");
    const sealed = checkpointsShape.parse(await readAll(auditor.call, "/compliance/checkpoints"));
    expect(linesOf((await kept(stage, "checkpoints")).values())).toEqual(sealed.map(({ checkpoint }) => checkpoint));

    const ledger = await kept(stage, "ledger");
    expect([...ledger.keys()]).toEqual(["0000000001.ndjson", "0000000002.ndjson"]);
    const events = eventsIn(ledger.values());
    for (const { hash, ...event } of events) expect(eventHash(event)).toBe(hash);
    const places = events.map(({ partition, seq }) => `${partition} ${seq}`);
    expect(new Set(places).size).toBe(places.length);
    const present = eventsShape.parse(await readAll(auditor.call, "/compliance/events"));
    const covered = present.filter(({ type }) => type !== "checkpoint.sealed" && type !== "audit.exported");
    for (const { partition, seq } of covered) expect(places).toContain(`${partition} ${seq}`);
  });

  test("that a run left out are put there by the next, the oldest first; what is there stays as it is", async () => {
    const stage = await withRecords();
    await stage.registeredStamp();
    await stage.another().app.timers.sealCheckpoint();
    await stage.registeredStamp();
    await stage.another().app.timers.sealCheckpoint();
    expect((await kept(stage, "ledger")).size).toBe(0);
    await stage.another({ settings }).app.timers.sealCheckpoint();
    const first = await kept(stage, "ledger");
    expect([...first.keys()]).toEqual(["0000000001.ndjson", "0000000002.ndjson", "0000000003.ndjson"]);
    await stage.another({ settings }).app.timers.sealCheckpoint();
    const later = await kept(stage, "ledger");
    for (const [name, text] of first) expect(later.get(name)).toBe(text);
    expect(later.size).toBe(4);
  });

  test("of two runs at once are there once", async () => {
    const stage = await withRecords();
    await stage.registeredStamp();
    await Promise.all([1, 2].map(() => stage.app.timers.sealCheckpoint()));
    const names = [...(await kept(stage, "checkpoints")).keys()];
    expect(names).toEqual(names.map((_, index) => `${String(index + 1).padStart(10, "0")}.jws`));
  });

  test("that cannot be written are an outage of the run, and the checkpoint is sealed all the same", async () => {
    const stage = stages({ settings });
    await stage.registeredStamp();
    await expect(stage.app.timers.sealCheckpoint()).rejects.toThrow();
    const auditor = await stage.person("A");
    expect(await readAll(auditor.call, "/compliance/checkpoints")).toHaveLength(1);
  });
});
