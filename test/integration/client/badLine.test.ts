import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import {
  asStamp,
  type BundleDescription,
  connect,
  generateKey,
  openLine,
  type SendOptions,
  sendBundle,
  signingKey,
  stampApi,
  uploadMemory,
} from "../../../client/index.ts";
import { type Faults, startFaultProxy } from "../../support/lines/faultProxy.ts";
import { through } from "../../support/lines/through.ts";
import { startFakeIntake } from "./fakeIntake.ts";
import { temporaryFolder } from "./folder.ts";

const [kib, mib] = [1024, 1024 * 1024];

/** A draw near the mean of its shares: what it costs is what such a line costs, and a machine that stalls once more stays within the bound. */
const seed = 20_261_120;

const description: BundleDescription = {
  mode: "sendNow",
  consent: { decidedBy: "Operator", decidedOn: "2026-11-22T12:00:00Z", termsVersion: "1" },
  logsFrom: "2026-11-22T08:00:00Z",
  logsTo: "2026-11-22T12:00:00Z",
  collectedOn: "2026-11-22T12:00:00Z",
  stampVersion: "1.2501.1.47",
};

/** A stamp behind a bad line, with the fake service and real storage at its other end. */
async function setting(faults: Faults) {
  const stack = new AsyncDisposableStack();
  const intake = stack.use(await startFakeIntake(inject("storageConnectionString")));
  const folder = stack.use(await temporaryFolder());
  const proxy = stack.use(await startFaultProxy(seed, faults));
  const exchange = through(openLine({ longestSilenceMs: 3_000 }), () => proxy.origin);
  const retry = { tries: 14, firstDelayMs: 1, longestDelayMs: 20 };
  const api = stampApi(
    connect(intake.origin, asStamp(await signingKey(generateKey())), { retry, exchange }),
    randomUUID(),
  );
  const memory = uploadMemory(join(folder.path, "uploads"));
  return {
    intake,
    folder,
    proxy,
    send: (path: string, options: Partial<SendOptions> = {}) =>
      sendBundle(api, path, description, { memory, ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("on a bad line", () => {
  test("uploads end whole, and send at most a tenth more than is needed", async () => {
    const [uploads, sizeBytes] = [5, 2 * mib];
    await using scene = await setting({ meanBytesBetweenCuts: sizeBytes, refusedShare: 0.05, stalledShare: 0.01 });
    const path = await scene.folder.file("logs.zip", sizeBytes);
    for (let sent = 0; sent < uploads; sent += 1) {
      const { bundle } = await scene.send(path, { blockSizeBytes: sizeBytes / 64 });
      expect(bundle.state).toBe("accepted");
      expect(await scene.intake.blob(bundle.bundleId).downloadToBuffer()).toEqual(await readFile(path));
    }
    const { bodyBytes, cut, refused, stalled } = scene.proxy.counts;
    expect(Math.min(cut, refused, stalled)).toBeGreaterThan(0);
    expect(bodyBytes).toBeGreaterThan(uploads * sizeBytes);
    expect(bodyBytes / (uploads * sizeBytes)).toBeLessThanOrEqual(1.1);
  });

  test("that no large block survives, smaller ones get through", async () => {
    await using scene = await setting({ meanBytesBetweenCuts: 512 * kib, refusedShare: 0, stalledShare: 0 });
    const path = await scene.folder.file("logs.zip", 6 * mib);
    const { bundle } = await scene.send(path, { blockSizeBytes: 4 * mib, concurrency: 2 });
    expect(bundle.state).toBe("accepted");
    expect(await scene.intake.blob(bundle.bundleId).downloadToBuffer()).toEqual(await readFile(path));
    expect(scene.proxy.counts.cut).toBeGreaterThan(4);
    const sizes = scene.intake.requests(/comp=block&/).map(({ headers }) => Number(headers["content-length"]));
    expect(Math.max(...sizes)).toBeGreaterThan(512 * kib);
    expect(Math.min(...sizes)).toBeLessThanOrEqual(256 * kib);
  });
});
