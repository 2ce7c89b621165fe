import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Problem } from "../../../audit/problem.ts";
import { verifyExport } from "../../../audit/verify.ts";
import { type Exported, form, history, live, ndjson, openSigner, type Signer, write } from "./support/ledger.ts";

/** The offline verifier over exports that are whole, torn, incomplete or somebody else's. */

let directory: string;
let signer: Signer;
let whole: Exported;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-verify-"));
  signer = await openSigner("k1");
  whole = await live(history, signer);
});
beforeEach(() => write(directory, whole));
afterAll(() => rm(directory, { recursive: true, force: true }));

const now = new Date("2026-12-01T00:00:00Z");
const file = (name: string) => join(directory, name);

async function verify({ trust = [], since }: { trust?: readonly string[]; since?: string } = {}) {
  const problems: Problem[] = [];
  const summary = await verifyExport(
    directory,
    { trusted: trust, since },
    now,
    (problem) => void problems.push(problem),
  );
  return { summary, problems, found: problems.map(({ code, place }) => `${code} ${place}`) };
}

async function held(jws: string): Promise<string> {
  await writeFile(file("held.jws"), `${jws}\n`);
  return file("held.jws");
}

describe("a whole export", () => {
  test("holds, with and without anchors, and says what was checked", async () => {
    const since = await held(whole.checkpoints[1]?.checkpoint ?? "");
    const { summary, problems } = await verify({ trust: [signer.thumbprint], since });
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ events: 17, partitions: 6, sealedEvents: 14, held: 2 });
    expect(summary.checkpoints).toHaveLength(4);
    expect(summary.keys.map(({ thumbprint }) => thumbprint)).toEqual([signer.thumbprint]);
    expect((await verify()).problems).toEqual([]);
  });

  test("holds where nothing has happened yet", async () => {
    await write(directory, { events: [], checkpoints: [], leaves: [], keys: whole.keys });
    expect((await verify()).problems).toEqual([]);
    expect((await verify({ trust: [signer.thumbprint] })).found).toEqual(["NothingSigned --trust"]);
  });

  test("is compared with the checkpoint that a receipt carries, too", async () => {
    const receipt = await signer.sign({ checkpoint: whole.checkpoints[2]?.checkpoint }, "consent-receipt+jwt");
    expect(await verify({ since: await held(receipt) })).toMatchObject({ problems: [], summary: { held: 3 } });
  });

  test("is compared with whatever way a checkpoint was kept: its line, all lines, or the answer that holds a paper", async () => {
    const lines = ndjson(whole.checkpoints.slice(0, 2));
    const receipt = await signer.sign({ checkpoint: whole.checkpoints[2]?.checkpoint }, "consent-receipt+jwt");
    for (const [text, seq] of [
      [form(whole.checkpoints[0]), 1],
      [lines, 2],
      [JSON.stringify({ state: "enabled", receipt }, undefined, 2), 3],
      [form({ certificate: receipt }), 3],
    ] as const)
      expect(await verify({ since: await held(text) })).toMatchObject({ problems: [], summary: { held: seq } });
  });

  test("may lack the checkpoints sealed while it was made", async () => {
    await write(directory, {
      ...whole,
      checkpoints: whole.checkpoints.slice(0, 3),
      leaves: whole.leaves.filter(({ checkpoint }) => checkpoint <= 3),
    });
    expect((await verify({ trust: [signer.thumbprint] })).problems).toEqual([]);
  });
});

describe("bad input is named", () => {
  test.each(["events.ndjson", "checkpoints.ndjson", "leaves.ndjson"])("a torn last line of %s", async (name) => {
    const text = await readFile(file(name));
    await truncate(file(name), text.length - 7);
    const last = text.toString().trimEnd().split("\n").length;
    expect((await verify()).found).toContain(`TornLine ${name}:${last}`);
  });

  test.each(["events.ndjson", "checkpoints.ndjson", "leaves.ndjson", "keys.json"])("%s missing", async (name) => {
    await rm(file(name));
    expect((await verify()).found).toContain(`MissingFile ${name}`);
  });

  test("a folder that is not there", async () => {
    const problems: Problem[] = [];
    const nowhere = file("nowhere");
    await verifyExport(nowhere, { trusted: [], since: undefined }, now, (problem) => void problems.push(problem));
    expect(problems.map(({ code }) => code)).toEqual(Array(4).fill("MissingFile"));
  });

  test("keys that are torn, private, double or of another service", async () => {
    await truncate(file("keys.json"), 20);
    expect((await verify()).found).toContain("WrongKeys keys.json");
    await writeFile(file("keys.json"), form({ keys: [signer.jwk, signer.jwk] }));
    expect((await verify()).found).toEqual(["WrongKeys keys.json"]);
    await writeFile(file("keys.json"), form({ keys: [(await openSigner("k2")).jwk] }));
    expect((await verify()).found).toContain("KeyUnknown checkpoints.ndjson:1, checkpoint 1");
    await writeFile(file("keys.json"), form({ keys: [(await openSigner("k1")).jwk] }));
    expect((await verify()).found).toContain("WrongSignature checkpoints.ndjson:1, checkpoint 1");
    await write(directory, whole);
    const other = await openSigner("other");
    expect((await verify({ trust: [other.thumbprint] })).found).toHaveLength(4);
    expect((await verify({ trust: [other.thumbprint, signer.thumbprint] })).found).toEqual([]);
  });

  test("a checkpoint from the future, and one newer than the export", async () => {
    await write(directory, await live(history, signer, (seq) => (seq < 4 ? 1_790_000_000 : 1_890_000_000)));
    expect((await verify()).found).toEqual(["FromTheFuture checkpoints.ndjson:4, checkpoint 4"]);
    await write(directory, await live(history.slice(0, 9), signer));
    const since = await held(whole.checkpoints[3]?.checkpoint ?? "");
    expect((await verify({ since })).found).toEqual([`HeldIsNewer ${since}`]);
  });

  test("a paper of another kind in a checkpoint's place", async () => {
    const [first, ...rest] = whole.checkpoints;
    const claims: unknown = JSON.parse(Buffer.from(first?.checkpoint.split(".")[1] ?? "", "base64url").toString());
    const checkpoint = await signer.sign(Object(claims), "consent-receipt+jwt");
    await write(directory, { ...whole, checkpoints: [{ seq: 1, sealedOn: "", ...first, checkpoint }, ...rest] });
    expect((await verify()).found).toContain("WrongSignature checkpoints.ndjson:1, checkpoint 1");
  });

  test.each(["", "no JWS", "a.b.c", "e30.e30.e30"])("a held file that says %j", async (text) => {
    const since = await held(text);
    expect((await verify({ since })).found).toEqual([`NoCheckpoint ${since}`]);
  });

  test("a held file that is missing", async () => {
    expect((await verify({ since: file("gone") })).found).toEqual([`MissingFile ${file("gone")}`]);
  });

  test.each([
    ["no JSON", "{", "Malformed"],
    ["null", "null", "Malformed"],
    ["an empty line", "", "Malformed"],
    ["deep nesting", "[".repeat(200_000), "Malformed"],
    ["another thing", '{"a":1}', "Malformed"],
  ])("a line that is %s", async (_, text, code) => {
    for (const name of ["events.ndjson", "checkpoints.ndjson", "leaves.ndjson"]) {
      await write(directory, whole);
      await appendFile(file(name), `${text}\n`);
      expect((await verify()).found.map((each) => each.split(" ")[0])).toContain(code);
    }
  });

  test("bytes that are no text, and a line without end", async () => {
    await appendFile(file("events.ndjson"), Buffer.from([0x22, 0xff, 0x22, 0x0a]));
    expect((await verify()).found).toEqual(["NotUtf8 events.ndjson:18"]);
    await appendFile(file("events.ndjson"), "x".repeat(3_000_000));
    expect((await verify()).found).toContain("LineTooLong events.ndjson:19");
  });

  test("an event that is right and not in its canonical form", async () => {
    const [first, ...rest] = whole.events;
    for (const text of [
      JSON.stringify(first),
      form(first).replace(":", ": "),
      `${form(first)}\r`,
      form(first).replace('"seq":1', '"seq":1.0'),
      form(first).replace('"case', '"\\u0063ase'),
      form(first).replace('{"actor"', '{"actor":{},"actor"'),
    ]) {
      await writeFile(file("events.ndjson"), `${text}\n${ndjson(rest)}`);
      expect((await verify()).found).toEqual(["NotCanonical events.ndjson:1, cases/2211280040006230 seq 1"]);
    }
  });
});
