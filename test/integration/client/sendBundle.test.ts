import { randomUUID } from "node:crypto";
import { utimesSync } from "node:fs";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import {
  asStamp,
  type BundleDescription,
  connect,
  FileChangedError,
  generateKey,
  type SendOptions,
  type SendProgress,
  sendBundle,
  signingKey,
  stampApi,
  UnreachableError,
  uploadMemory,
} from "../../../client/index.ts";
import { type FakeIntake, startFakeIntake } from "./fakeIntake.ts";
import { temporaryFolder } from "./folder.ts";

const blocks = /comp=block&/;
const kib = 1024;

const description: BundleDescription = {
  mode: "sendNow",
  consent: { decidedBy: "Operator", decidedOn: "2026-11-22T12:00:00Z", termsVersion: "1" },
  logsFrom: "2026-11-22T08:00:00Z",
  logsTo: "2026-11-22T12:00:00Z",
  collectedOn: "2026-11-22T12:00:00Z",
  stampVersion: "1.2501.1.47",
};

/** A stamp, a fake service in front of real storage, and a folder, for one test. */
async function setting() {
  const stack = new AsyncDisposableStack();
  const intake = stack.use(await startFakeIntake(inject("storageConnectionString")));
  const folder = stack.use(await temporaryFolder());
  const retry = { tries: 4, firstDelayMs: 1, longestDelayMs: 5 };
  const service = connect(intake.origin, asStamp(await signingKey(generateKey())), { retry });
  const api = stampApi(service, randomUUID());
  const uploads = join(folder.path, "uploads");
  const memory = uploadMemory(uploads);
  return {
    intake,
    folder,
    api,
    /** What the client still remembers of uploads. */
    remembered: () => readdir(uploads),
    send: (path: string, options: Partial<SendOptions> = {}) =>
      sendBundle(api, path, description, { memory, ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Stops the upload when the phase is reached and, while uploading, so many bytes are done. */
function stopAt(phase: SendProgress["phase"], doneBytes = 0): Partial<SendOptions> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    onProgress: (progress) => {
      if (progress.phase !== phase) return;
      if (progress.phase !== "uploading" || progress.doneBytes >= doneBytes)
        stop.abort(new Error("stopped by the test"));
    },
  };
}

const stored = (intake: FakeIntake, bundleId: string) => intake.blob(bundleId).downloadToBuffer();

describe("sending a bundle", () => {
  test("brings every byte to storage in blocks that storage checks, and waits for the verdict", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 300 * kib + 5);
    const { bundle, sentBytes } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(sentBytes).toBe(300 * kib + 5);
    expect(await stored(scene.intake, bundle.bundleId)).toEqual(await readFile(path));
    const sent = scene.intake.requests(blocks);
    expect(sent).toHaveLength(5);
    expect(
      sent.every(({ headers }) => headers["content-md5"] !== undefined && headers["x-ms-version"] === "2025-01-05"),
    ).toBe(true);
    expect((await scene.intake.blob(bundle.bundleId).getProperties()).contentType).toBe("application/zip");
    expect(await scene.remembered()).toEqual([]);
  });

  test("tells how far it is, up to the whole", async () => {
    await using scene = await setting();
    const told: SendProgress[] = [];
    await scene.send(await scene.folder.file("logs.zip", 200 * kib), { onProgress: (progress) => told.push(progress) });
    expect([...new Set(told.map(({ phase }) => phase))]).toEqual(["creating", "uploading", "committing", "verifying"]);
    const doneBytes = told.flatMap((progress) => (progress.phase === "uploading" ? [progress.doneBytes] : []));
    expect(doneBytes).toEqual([...doneBytes].sort((one, other) => one - other));
    expect(doneBytes.at(-1)).toBe(200 * kib);
  });

  test("keeps no more blocks in flight than asked, and uses them all", async () => {
    await using scene = await setting();
    scene.intake.settings.storageDelayMs = 20;
    scene.intake.settings.blocksTogether = 3;
    await scene.send(await scene.folder.file("logs.zip", 12 * 64 * kib), { concurrency: 3 });
    expect(scene.intake.mostStoringAtOnce()).toBe(3);
  });

  test("can end with the service's acknowledgement", async () => {
    await using scene = await setting();
    const { bundle } = await scene.send(await scene.folder.file("logs.zip", 10), { wait: false });
    expect(bundle.state).toBe("submitted");
    expect(scene.intake.requests(/verification/)).toEqual([]);
    expect(await scene.remembered()).toEqual([]);
  });

  test("ends with the rejection where the stored bytes are not the signed ones", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 10);
    scene.intake.settings.spoilsSubmitted = true;
    const { bundle } = await scene.send(path);
    expect(bundle).toMatchObject({ state: "rejected", rejection: { code: "DigestMismatch" } });
  });
});

describe("an upload that was stopped", () => {
  test("goes on with the same bundle and sends only what is missing", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 10 * 64 * kib);
    await expect(scene.send(path, { ...stopAt("uploading", 4 * 64 * kib), concurrency: 2 })).rejects.toThrow(
      "stopped by the test",
    );
    const { bundle, sentBytes } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(scene.intake.bundleIds()).toEqual([bundle.bundleId]);
    expect(sentBytes).toBeLessThanOrEqual(6 * 64 * kib);
    // The two that were in flight may still arrive after the stop; beyond them no block comes twice.
    expect(scene.intake.requests(blocks).length).toBeLessThanOrEqual(10 + 2);
    expect(await stored(scene.intake, bundle.bundleId)).toEqual(await readFile(path));
  });

  test("between commit and submit sends no byte again", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    scene.intake.faults.push({ on: /:submit/, times: 4, what: { status: 503 } });
    await expect(scene.send(path)).rejects.toMatchObject({ code: "ServiceUnavailable" });
    const before = scene.intake.requests(blocks).length;
    const { bundle, sentBytes } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(sentBytes).toBe(0);
    expect(scene.intake.requests(blocks)).toHaveLength(before);
  });

  test("between the last block and the commit sends no byte again", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    scene.intake.faults.push({ on: /comp=blocklist/, times: 4, what: "drop" });
    await expect(scene.send(path)).rejects.toThrow(UnreachableError);
    const { bundle, sentBytes } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(sentBytes).toBe(0);
  });

  test("while it waited goes on waiting", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 10);
    await expect(scene.send(path, stopAt("verifying"))).rejects.toThrow("stopped by the test");
    const { bundle } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(scene.intake.bundleIds()).toHaveLength(1);
    expect(await scene.remembered()).toEqual([]);
  });

  test("before the service heard of the bundle uses the same bundle id", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 10);
    scene.intake.faults.push({ on: /PUT .*\/bundles\//, times: 4, what: "loseAnswer" });
    await expect(scene.send(path)).rejects.toThrow(UnreachableError);
    await scene.send(path);
    expect(scene.intake.bundleIds()).toHaveLength(1);
  });

  test("starts anew, and gives up the old bundle, where the file is another by now", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    await expect(scene.send(path, stopAt("uploading", 64 * kib))).rejects.toThrow();
    await scene.folder.file("logs.zip", 4 * 64 * kib);
    await utimes(path, new Date(), new Date(Date.now() + 5_000));
    const { bundle, sentBytes } = await scene.send(path);
    const [old = "", next = ""] = scene.intake.bundleIds();
    expect(bundle).toMatchObject({ bundleId: next, state: "accepted" });
    expect(scene.intake.stateOf(old)).toBe("canceled");
    expect(sentBytes).toBe(4 * 64 * kib);
  });

  test("starts anew where the bundle has ended meanwhile", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    await expect(scene.send(path, stopAt("uploading", 64 * kib))).rejects.toThrow();
    await scene.api.cancel(scene.intake.bundleIds()[0] ?? "");
    expect((await scene.send(path)).bundle.state).toBe("accepted");
    expect(scene.intake.bundleIds()).toHaveLength(2);
  });

  test("starts anew where its memory was damaged", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    await expect(scene.send(path, stopAt("uploading", 64 * kib))).rejects.toThrow();
    const [name = ""] = await scene.remembered();
    await writeFile(join(scene.folder.path, "uploads", name), '{"bundleId": "4');
    expect((await scene.send(path)).bundle.state).toBe("accepted");
  });

  test("starts anew where its memory is that of another upload, which loses nothing", async () => {
    await using scene = await setting();
    const [one, other] = [
      await scene.folder.file("one.zip", 4 * 64 * kib),
      await scene.folder.file("other.zip", 4 * 64 * kib),
    ];
    const uploads = join(scene.folder.path, "uploads");
    await expect(scene.send(one, stopAt("uploading", 64 * kib))).rejects.toThrow();
    const [ofOne = ""] = await scene.remembered();
    await expect(scene.send(other, stopAt("uploading", 64 * kib))).rejects.toThrow();
    const ofOther = (await scene.remembered()).find((name) => name !== ofOne) ?? "";
    const kept = await readFile(join(uploads, ofOne));
    await writeFile(join(uploads, ofOther), kept);

    const { bundle, sentBytes } = await scene.send(other);
    const [bundleOfOne = ""] = scene.intake.bundleIds();
    expect(bundle).toMatchObject({ state: "accepted", fileName: "other.zip" });
    expect(sentBytes).toBe(4 * 64 * kib);
    expect(scene.intake.stateOf(bundleOfOne)).toBe("created");
    const again = await scene.send(one);
    expect(again.bundle).toMatchObject({ bundleId: bundleOfOne, state: "accepted" });
    expect(again.sentBytes).toBeLessThan(4 * 64 * kib);
  });

  test("goes on in blocks of another size, around those that storage holds", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 640 * kib + 7);
    await expect(
      scene.send(path, { ...stopAt("uploading", 150 * kib), concurrency: 3, blockSizeBytes: 50 * kib }),
    ).rejects.toThrow();
    await expect(
      scene.send(path, { ...stopAt("uploading", 400 * kib), concurrency: 2, blockSizeBytes: 70 * kib }),
    ).rejects.toThrow();
    const before = scene.intake.requests(blocks).length;
    const { bundle, sentBytes } = await scene.send(path, { blockSizeBytes: 200 * kib });
    expect(bundle.state).toBe("accepted");
    expect(scene.intake.bundleIds()).toEqual([bundle.bundleId]);
    expect(sentBytes).toBeLessThanOrEqual(240 * kib + 7);
    // At most four gaps; the two that were in flight at the stop may arrive among them.
    expect(scene.intake.requests(blocks).length - before).toBeLessThanOrEqual(4 + 2);
    expect(await stored(scene.intake, bundle.bundleId)).toEqual(await readFile(path));
  });

  test("stops at once: nothing is sent after it has thrown", async () => {
    await using scene = await setting();
    scene.intake.settings.storageDelayMs = 50;
    const path = await scene.folder.file("logs.zip", 40 * 64 * kib);
    await expect(scene.send(path, { ...stopAt("uploading", 64 * kib), concurrency: 2 })).rejects.toThrow(
      "stopped by the test",
    );
    await scene.api.bundle(scene.intake.bundleIds()[0] ?? "");
    // The block whose end stopped it, and the two that were in flight.
    expect(scene.intake.requests(blocks).length).toBeLessThanOrEqual(1 + 2);
  });
});

describe("trouble on the way", () => {
  test.each([
    ["503 of the service", { on: /PUT .*\/bundles\//, times: 3, what: { status: 503 } }],
    ["429 of the service", { on: /:submit/, times: 2, what: { status: 429, headers: { "retry-after": "0" } } }],
    ["408 of the service", { on: /verification/, times: 1, what: { status: 408 } }],
    ["a lost answer to create", { on: /PUT .*\/bundles\//, times: 2, what: "loseAnswer" }],
    ["a lost answer to submit", { on: /:submit/, times: 2, what: "loseAnswer" }],
    ["dropped blocks", { on: blocks, times: 3, what: "drop" }],
    ["503 of storage", { on: blocks, times: 3, what: { status: 503, code: "ServerBusy" } }],
    ["bytes that change on the line", { on: blocks, times: 2, what: "corruptBody" }],
    ["a dropped commit", { on: /comp=blocklist/, times: 2, what: "drop" }],
  ] as const)("is outlived: %s", async (_name, fault) => {
    await using scene = await setting();
    scene.intake.faults.push({ ...fault });
    const path = await scene.folder.file("logs.zip", 5 * 64 * kib);
    const { bundle } = await scene.send(path);
    expect(bundle.state).toBe("accepted");
    expect(await stored(scene.intake, bundle.bundleId)).toEqual(await readFile(path));
    expect(scene.intake.bundleIds()).toHaveLength(1);
  });

  test("signs each try anew", async () => {
    await using scene = await setting();
    scene.intake.faults.push({ on: /PUT .*\/bundles\//, times: 3, what: { status: 503 } });
    await scene.send(await scene.folder.file("logs.zip", 10));
    const nonces = scene.intake.seen.flatMap(({ nonce }) => (nonce === undefined ? [] : [nonce]));
    expect(nonces.length).toBeGreaterThan(6);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  test("ends after its tries, and the upload is remembered", async () => {
    await using scene = await setting();
    scene.intake.faults.push({
      on: blocks,
      times: Number.POSITIVE_INFINITY,
      what: { status: 500, code: "InternalError" },
    });
    await expect(scene.send(await scene.folder.file("logs.zip", 10))).rejects.toMatchObject({
      status: 500,
      code: "InternalError",
    });
    expect(scene.intake.requests(blocks)).toHaveLength(4);
    expect(await scene.remembered()).toHaveLength(1);
  });

  test("is put right where the stamp's clock is wrong", async () => {
    await using scene = await setting();
    scene.intake.faults.push({
      on: /PUT .*\/bundles\//,
      times: 1,
      what: {
        status: 401,
        code: "SignatureExpired",
        headers: { date: new Date(Date.now() + 3_600_000).toUTCString() },
      },
    });
    await scene.send(await scene.folder.file("logs.zip", 10));
    const [wrong, right] = scene.intake
      .requests(/PUT .*\/bundles\//)
      .map(({ headers }) => Number(/created=(\d+)/.exec(String(headers["signature-input"]))?.[1]));
    // Beside the hour: what passed between the two, and the parts of a second that a `Date` leaves out.
    expect(Math.abs(Number(right) - Number(wrong) - 3_600)).toBeLessThan(60);
  });

  test("a clock is put right once: a service that goes on refusing is believed", async () => {
    await using scene = await setting();
    scene.intake.faults.push({
      on: /./,
      times: Number.POSITIVE_INFINITY,
      what: { status: 401, code: "SignatureExpired" },
    });
    await expect(scene.send(await scene.folder.file("logs.zip", 10))).rejects.toMatchObject({
      code: "SignatureExpired",
    });
    expect(scene.intake.seen).toHaveLength(2);
  });

  test("a refused create is not remembered: the next one is made anew", async () => {
    await using scene = await setting();
    scene.intake.faults.push({ on: /PUT .*\/bundles\//, times: 1, what: { status: 403, code: "ConsentNotGiven" } });
    await expect(scene.send(await scene.folder.file("logs.zip", 10))).rejects.toMatchObject({
      code: "ConsentNotGiven",
    });
    expect(await scene.remembered()).toEqual([]);
  });

  test("a URL that has ended is renewed before it is used", async () => {
    await using scene = await setting();
    scene.intake.settings.urlLivesMs.push(-60_000);
    const { bundle } = await scene.send(await scene.folder.file("logs.zip", 4 * 64 * kib));
    expect(bundle.state).toBe("accepted");
    expect(scene.intake.requests(/:renewUpload/)).toHaveLength(1);
    expect(scene.intake.requests(blocks)).toHaveLength(4);
  });

  test("a URL that storage refuses is renewed once for all blocks, and not for ever", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    scene.intake.faults.push({ on: blocks, times: 4, what: { status: 403, code: "AuthenticationFailed" } });
    scene.intake.settings.blocksTogether = 4;
    expect((await scene.send(path)).bundle.state).toBe("accepted");
    expect(scene.intake.requests(/:renewUpload/)).toHaveLength(1);
    scene.intake.settings.blocksTogether = 1;

    scene.intake.faults.push({
      on: blocks,
      times: Number.POSITIVE_INFINITY,
      what: { status: 403, code: "AuthenticationFailed" },
    });
    const refused = scene.send(await scene.folder.file("other.zip", 10));
    await expect(refused).rejects.toMatchObject({ status: 403, code: "AuthenticationFailed" });
  });

  test("a URL of a place where nobody listens any more is renewed", async () => {
    await using scene = await setting();
    scene.intake.settings.deadUrls = 1;
    const { bundle } = await scene.send(await scene.folder.file("logs.zip", 4 * 64 * kib));
    expect(bundle.state).toBe("accepted");
    expect(scene.intake.requests(/:renewUpload/)).toHaveLength(1);
  });

  test("a bundle that is canceled while it is sent says so", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    const sending = scene.send(path, {
      concurrency: 1,
      onProgress: (progress) => {
        if (progress.phase !== "uploading" || progress.doneBytes > 0) return;
        scene.intake.faults.push({ on: blocks, times: 9, what: { status: 404, code: "ContainerNotFound" } });
        scene.intake.faults.push({ on: /:renewUpload/, times: 9, what: { status: 409, code: "InvalidState" } });
      },
    });
    await expect(sending).rejects.toMatchObject({ code: "InvalidState" });
  });

  test("a file that is written to while it is sent is not submitted", async () => {
    await using scene = await setting();
    const path = await scene.folder.file("logs.zip", 4 * 64 * kib);
    const sending = scene.send(path, {
      onProgress: ({ phase }) => {
        if (phase === "uploading") utimesSync(path, new Date(), new Date(Date.now() + 5_000));
      },
    });
    await expect(sending).rejects.toThrow(FileChangedError);
    expect(scene.intake.requests(/:submit/)).toEqual([]);
  });
});
