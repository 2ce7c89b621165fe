import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { expectStatus } from "../support/system/expectations.ts";
import { carrying, type SavedBundle, saveBundle, signedManifest } from "../support/system/imports.ts";
import { bundleShape } from "../support/system/shapes.ts";
import { makeKey } from "../support/system/signing.ts";
import { type Ended, type Machine, startStamp } from "../support/system/stampCommand.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";

/** Save locally, send later: by the command line, from a stamp without a line to a machine without a key. */

let world: World;
let root: string;
beforeAll(async () => {
  [world, root] = await Promise.all([openWorld(), mkdtemp(join(tmpdir(), "stamp-saved-"))]);
});
afterAll(() => Promise.all([world?.close(), rm(root, { recursive: true, force: true })]));

/** Nothing listens there: what works with it needs no line. */
const noLine = "http://127.0.0.1:9";
const folderOfItsOwn = () => mkdtemp(join(root, "share-"));
const run = (machine: Machine, ...words: string[]): Promise<Ended> => startStamp(machine, words).ended;

async function machine(origin = world.origin): Promise<Machine> {
  const folder = await mkdtemp(join(root, "machine-"));
  return { local: join(folder, "local"), folder, origin };
}

/** A machine that plays a registered stamp and has lost its line since. */
async function disconnectedStamp() {
  const connected = { ...(await machine()), token: (await world.person("R")).token };
  const registered = await run(connected, "register", "--json");
  const { stampId } = z.looseObject({ stampId: z.string() }).parse(JSON.parse(registered.stdout));
  return { connected, stampId, machine: { ...connected, origin: noLine } };
}

async function zipFile(folder: string, contentBytes?: number): Promise<{ path: string; bytes: Buffer }> {
  const bytes = await makeZip(contentBytes);
  const path = join(folder, `AzureStackLogs-${randomBytes(4).toString("hex")}.zip`);
  await writeFile(path, bytes);
  return { path, bytes };
}

const outcome = z.looseObject({ file: z.string(), outcome: z.string(), code: z.string().optional() });
async function imported(share: string, on?: Machine) {
  const { code, stdout, stderr } = await run(
    on ?? (await machine()),
    "import",
    share,
    "--json",
    "--carried-by",
    "Carol",
  );
  const outcomes = z.array(outcome).parse(JSON.parse(stdout));
  return {
    code,
    stderr,
    outcomes,
    told: outcomes.map(({ outcome, code }) => [outcome, code].filter(Boolean).join(" ")),
  };
}

/** Puts what a stamp saved on a share as `stamp save` does. */
async function put(share: string, { bytes, manifest }: Pick<SavedBundle, "bytes" | "manifest">): Promise<string> {
  const path = join(share, `logs-${randomBytes(4).toString("hex")}.zip`);
  await writeFile(path, bytes);
  await writeFile(`${path}.manifest`, `${manifest}\n`);
  return path;
}

describe("a bundle that was saved without a line", () => {
  it("is imported on another machine and accepted, under its consent, with its custody on record", async () => {
    const { connected, stampId, machine: stamp } = await disconnectedStamp();
    const share = await folderOfItsOwn();
    const { path, bytes } = await zipFile(stamp.folder);
    const saved = await run(stamp, "save", basename(path), share, "--as", "Jo Operator", "--roles", "Storage,ACS");
    expect(saved).toMatchObject({ code: 0, stderr: "" });
    expect(saved.stdout).toContain("Nothing has been sent");
    expect((await readdir(share)).sort()).toEqual([basename(path), `${basename(path)}.manifest`]);
    expect(await readFile(join(share, basename(path)))).toEqual(bytes);

    expect(await imported(share)).toMatchObject({ code: 0, told: ["accepted"] });
    const history = await run(connected, "history", "--json");
    const [bundle] = z.array(bundleShape).parse(JSON.parse(history.stdout));
    expect(bundle).toMatchObject({
      stampId,
      mode: "savedLocally",
      state: "accepted",
      sha256: sha256Hex(bytes),
      roles: ["Storage", "ACS"],
      custody: { keyId: expect.any(String), signedOn: expect.any(String) },
    });
    const status = await run(connected, "status", String(bundle?.bundleId));
    expect(status.stdout).toMatch(/carried +by Carol, imported .* signed .* with key k-/);
    const auditor = await world.person("A");
    const read = await auditor.call("GET", `/stamps/${stampId}/bundles/${bundle?.bundleId}`);
    expect(bundleShape.parse(read.json).custody?.carriedBy).toBe("Carol");
  });

  it("is not sent twice, by whatever machine and with the note of it gone", async () => {
    const stamp = await world.registeredStamp();
    const share = await folderOfItsOwn();
    const path = await put(share, await saveBundle(stamp));
    expect((await imported(share)).told).toEqual(["accepted"]);
    // Who prunes the share may be another user than who carried from it.
    expect((await stat(`${path}.sent.json`)).mode & 0o444).toBe(0o444);
    expect(await imported(share, await machine(noLine))).toMatchObject({ code: 0, told: ["sentBefore"] });
    await rm(`${path}.sent.json`);
    expect(await imported(share)).toMatchObject({ code: 0, told: ["accepted"] });
    const events = await world.events(stamp.partition);
    expect(events.filter(({ type }) => type === "bundle.created")).toHaveLength(1);
  });

  it("goes on where an import was interrupted", async () => {
    const stamp = await world.registeredStamp();
    const share = await folderOfItsOwn();
    const saved = await saveBundle(stamp, { bytes: await makeZip(32 * 1024 * 1024) });
    await put(share, saved);
    const carrier = await machine();
    const first = startStamp(carrier, ["import", share, "--limit-rate", "4m"]);
    await first.told(/[1-9]\d % /);
    first.kill("SIGKILL");
    await first.ended;
    const { state, stagedBlocks = [] } = await stamp.bundle(saved.bundleId);
    expect(state).toBe("created");
    expect(stagedBlocks.length).toBeGreaterThan(0);
    expect(await imported(share, carrier)).toMatchObject({ code: 0, told: ["accepted"] });
    expect((await stamp.bundle(saved.bundleId)).sha256).toBe(saved.claims.sha256);
  });

  it("is kept for another day where the line is down", async () => {
    const share = await folderOfItsOwn();
    const path = await put(share, await saveBundle(await world.registeredStamp()));
    const before = await readdir(share);
    const started = startStamp(await machine(noLine), ["import", share, "--json"]);
    await started.told(/No answer from/);
    started.kill("SIGTERM");
    expect((await started.ended).code).toBe(130);
    expect(await readdir(share)).toEqual(before);
    expect(before).toContain(basename(path));
  });
});

describe("an import says what is wrong, and sends the others", () => {
  /** Beside one that is good. */
  async function beside(make: (share: string) => Promise<unknown>) {
    const share = await folderOfItsOwn();
    const good = await world.registeredStamp();
    await put(share, await saveBundle(good, { claims: { savedOn: new Date(Date.now() - 20_000).toISOString() } }));
    await make(share);
    const before = await readdir(share);
    const { code, outcomes } = await imported(share);
    const [accepted, ...others] = outcomes.toSorted((one, other) => one.outcome.localeCompare(other.outcome));
    expect(accepted?.outcome).toBe("accepted");
    // Nothing is deleted, and only what was accepted is noted as sent.
    expect((await readdir(share)).filter((name) => !name.endsWith(".sent.json"))).toEqual(before);
    expect((await readdir(share)).length).toBe(before.length + 1);
    return { code, told: others.map(({ outcome, code }) => `${outcome} ${code}`) };
  }

  it("a manifest that was edited", async () => {
    const stamp = await world.registeredStamp();
    const saved = await saveBundle(stamp);
    const [header, , signature] = saved.manifest.split(".");
    const edited = Buffer.from(JSON.stringify({ ...saved.claims, caseNumber: "2211280040006230" })).toString(
      "base64url",
    );
    const result = await beside((share) => put(share, { ...saved, manifest: `${header}.${edited}.${signature}` }));
    expect(result).toEqual({ code: 1, told: ["failed SignatureInvalid"] });
    expect((await stamp.call("GET", stamp.bundlePath(saved.bundleId))).status).toBe(404);
  });

  it("a manifest by a key that was not registered then", async () => {
    const stamp = await world.registeredStamp();
    const unknown = await saveBundle(stamp, { key: makeKey() });
    const early = await saveBundle(stamp, { claims: { savedOn: new Date(Date.now() - 86_400_000).toISOString() } });
    const result = await beside((share) => Promise.all([put(share, unknown), put(share, early)]));
    expect(result).toEqual({ code: 1, told: ["failed KeyUnknown", "failed KeyUnknown"] });
  });

  it("a manifest for another stamp", async () => {
    const [stamp, other] = [await world.registeredStamp(), await world.registeredStamp()];
    const saved = await saveBundle(stamp, { claims: { stampId: other.stampId } });
    const result = await beside((share) => put(share, saved));
    expect(result).toEqual({ code: 1, told: ["failed KeyUnknown"] });
  });

  it("a manifest that is none", async () => {
    const result = await beside(async (share) => {
      await writeFile(join(share, "a.zip.manifest"), "PK");
      await writeFile(join(share, "b.zip.manifest"), await signedManifest({ stampId: 1 }, makeKey()));
    });
    expect(result).toEqual({ code: 1, told: ["failed ManifestUnreadable", "failed ManifestUnreadable"] });
  });

  it("a missing file and a swapped one: the service never hears of them", async () => {
    const stamp = await world.registeredStamp();
    const [missing, swapped, resized] = [await saveBundle(stamp), await saveBundle(stamp), await saveBundle(stamp)];
    const result = await beside(async (share) => {
      await rm(await put(share, missing));
      await put(share, { ...swapped, bytes: Buffer.from(swapped.bytes.toReversed()) });
      await put(share, { ...resized, bytes: await makeZip(10) });
    });
    expect(result.code).toBe(1);
    expect(result.told.sort()).toEqual(["failed FileMissing", "failed FileSwapped", "failed FileSwapped"]);
    expect((await world.events(stamp.partition)).map(({ type }) => type)).toEqual(["stamp.registered"]);
  });

  it("what is no zip is rejected, and the exit code says so", async () => {
    const stamp = await world.registeredStamp();
    const result = await beside(async (share) =>
      put(share, await saveBundle(stamp, { bytes: Buffer.from("PK, not") })),
    );
    expect(result).toEqual({ code: 3, told: ["rejected NotAZip"] });
  });

  it("one whose earlier import was canceled: it has to be saved again", async () => {
    const stamp = await world.registeredStamp();
    const saved = await saveBundle(stamp);
    expectStatus(await carrying(world, saved.manifest)("PUT", saved.path, { carriedBy: "Carol" }), 201);
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(saved.bundleId)}:cancel`), 200);
    const result = await beside((share) => put(share, saved));
    expect(result).toEqual({ code: 1, told: ["failed InvalidState"] });
  });
});

describe("saving", () => {
  it("onto a full disk says so, leaves nothing there, and loses nothing", async () => {
    const { machine: stamp } = await disconnectedStamp();
    const share = await folderOfItsOwn();
    const { path, bytes } = await zipFile(stamp.folder, 1024 * 1024);
    const { code, stderr } = await startStamp(stamp, ["save", path, share], 256).ended;
    expect(stderr).toContain("There is no room for it");
    expect(code).toBe(1);
    expect(await readdir(share)).toEqual([]);
    expect(await readFile(path)).toEqual(bytes);
    expect((await run(stamp, "save", path, share)).code).toBe(0);
    expect(await readdir(share)).toHaveLength(2);
  });

  it("into a folder that is not there is refused, as a share that is not mounted is, unless --create makes it", async () => {
    const { machine: stamp } = await disconnectedStamp();
    const { path } = await zipFile(stamp.folder);
    const share = join(await folderOfItsOwn(), "not-mounted");
    const refused = await run(stamp, "save", path, share);
    expect(refused.stderr).toContain("mount the share, or add --create");
    expect(refused.code).toBe(2);
    expect((await run(stamp, "save", path, share, "--create")).code).toBe(0);
    expect(await readdir(share)).toHaveLength(2);
  });

  it("signs a file where it is, and again signs nothing new", async () => {
    const { machine: stamp } = await disconnectedStamp();
    const share = await folderOfItsOwn();
    const { path } = await zipFile(share);
    expect((await run(stamp, "save", path, share)).code).toBe(0);
    const manifest = await readFile(`${path}.manifest`, "utf8");
    const again = await run(stamp, "save", path, share);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("signed before");
    expect(await readFile(`${path}.manifest`, "utf8")).toBe(manifest);
    expect(await readdir(share)).toHaveLength(2);
  });

  it("replaces no other file, and saves nothing that would be refused later", async () => {
    const { machine: stamp } = await disconnectedStamp();
    const share = await folderOfItsOwn();
    const { path } = await zipFile(stamp.folder);
    const theirs = join(share, basename(path));
    await writeFile(theirs, "theirs");
    await writeFile(join(stamp.folder, "text.zip"), "text");
    const roles = Array.from({ length: 200 }, (_, at) => `Role${at}${"x".repeat(40)}`).join();
    for (const [words, told] of [
      [[path, share], "is another file"],
      [["text.zip", share], "is no zip"],
      [["none.zip", share], "cannot be read"],
      [[path, theirs], "is no folder"],
      [[path, await folderOfItsOwn(), "--terms", "1999-01-01"], "carries no terms 1999-01-01"],
      [[path, await folderOfItsOwn(), "--roles", roles], "too long"],
      [[path, await folderOfItsOwn(), "--from", "2026-11-02", "--to", "2026-11-01"], "logsTo must not be before"],
    ] as const) {
      const { code, stderr } = await run(stamp, "save", ...words);
      expect(stderr).toContain(told);
      expect(code).toBe(2);
    }
    expect(await readFile(theirs, "utf8")).toBe("theirs");
    expect(await readdir(share)).toEqual([basename(path)]);
  });

  it("shows the terms without a line", async () => {
    const offline = await machine(noLine);
    const shown = await run(offline, "terms");
    const served = await world.send({ method: "GET", path: `/terms/${await world.currentTerms()}` });
    expect(shown.stdout.trimEnd()).toBe(served.text.trimEnd());
    expect((await run(offline, "terms", "1999-01-01")).code).toBe(2);
  });
});

describe("pruning", () => {
  async function share() {
    const stamp = await world.registeredStamp();
    const folder = await folderOfItsOwn();
    const sent = await put(folder, await saveBundle(stamp));
    expect((await imported(folder)).told).toEqual(["accepted"]);
    const unsent = await put(folder, await saveBundle(stamp));
    await writeFile(join(folder, "theirs.zip"), "theirs");
    await mkdir(join(folder, "a folder"));
    const left = join(folder, ".logs.zip.8d2c.saving");
    await writeFile(left, "half");
    await utimes(left, 0, 0);
    const foreign = ["theirs.zip", "a folder"];
    return { folder, sent, unsent, foreign, all: await readdir(folder) };
  }
  const here = async (...words: string[]) => run(await machine(noLine), "prune", ...words);

  it("only tells with --dry-run", async () => {
    const { folder, sent, unsent, all } = await share();
    const { code, stdout } = await here(folder, "--max-age", "0h", "--dry-run");
    expect(stdout).toMatch(new RegExp(`would go +${basename(sent)}`));
    expect(stdout).toMatch(new RegExp(`stays +${basename(unsent)}.*never sent`));
    expect(code).toBe(1);
    expect(await readdir(folder)).toEqual(all);
  });

  it("deletes what was sent and what a killed save has left, and leaves the unsent and others' files alone", async () => {
    const { folder, unsent, foreign } = await share();
    expect((await here(folder, "--max-size", "0MB", "--json")).code).toBe(1);
    const kept = [...foreign, basename(unsent), `${basename(unsent)}.manifest`].sort();
    expect((await readdir(folder)).sort()).toEqual(kept);
    // What was kept can still be sent.
    expect((await imported(folder)).told).toEqual(["accepted"]);
  });

  it("deletes the unsent only when told so", async () => {
    const { folder, foreign } = await share();
    expect((await here(folder, "--max-age", "0h", "--unsent")).code).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(foreign.toSorted());
  });

  it("deletes nothing within the limits, and nothing without any", async () => {
    const { folder, all } = await share();
    expect((await here(folder, "--max-age", "30d", "--max-size", "50GB")).code).toBe(0);
    expect(await readdir(folder)).toEqual(all.filter((name) => !name.endsWith(".saving")));
    for (const words of [[], ["--max-age", "soon"], ["--max-size", "50"]]) {
      expect((await here(folder, ...words)).code).toBe(2);
    }
  });
});
