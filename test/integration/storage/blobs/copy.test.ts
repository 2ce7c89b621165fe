import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  type BundleLocation,
  bundleBlobName,
  dayContainerName,
  landingBlobName,
} from "../../../../shared/domain/containers.ts";
import type { UtcDay } from "../../../../shared/domain/utcDay.ts";
import { inMinutes, newDay, newLandingName, newLocation, openTestAccount } from "./support/account.ts";
import * as wire from "./support/wire.ts";

const { account, storage } = openTestAccount();

const first = new Uint8Array(1_000).fill(1);
const second = new Uint8Array(2_000).fill(2);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** An upload with its blob committed, and its ETag as it was at submit. */
async function submitted(headers: wire.Headers = {}) {
  const landing = newLandingName();
  await account.createLanding(landing);
  const url = await account.uploadUrl(landing, { expiresOn: inMinutes(60) });
  const etag = (await wire.putBlob(url, first, headers)).headers.get("etag") ?? "";
  return { landing, url, etag };
}

async function newPlace(day: UtcDay = newDay()): Promise<BundleLocation> {
  await account.ensureDay(day);
  return newLocation(day);
}

async function copied(headers: wire.Headers = {}) {
  const { url, ...source } = await submitted(headers);
  const to = await newPlace();
  const copy = await account.startCopy({ ...source, to });
  if (copy.status !== "success") throw new Error(`the copy is ${copy.status}`);
  return { ...source, url, to, copy };
}

const copyOf = (to: BundleLocation) =>
  storage.getContainerClient(dayContainerName(to.day)).getBlobClient(bundleBlobName(to));

describe("copying an upload into its day", () => {
  it("gives the version that was submitted, with its own ETag and size", async () => {
    const { to, copy } = await copied();
    expect(copy).toEqual({ status: "success", etag: expect.any(String), sizeBytes: first.length });
    expect(await account.copyState(to)).toEqual(copy);
    expect(await account.readAndHash(to, copy)).toMatchObject({ sha256: sha256(first) });
  });

  it("notices that the blob was overwritten between submit and copy, and copies nothing", async () => {
    const { landing, url, etag } = await submitted();
    const to = await newPlace();
    await wire.putBlob(url, second);
    expect(await account.startCopy({ landing, etag, to })).toEqual({ status: "sourceChanged" });
    expect(await account.copyState(to)).toBeUndefined();
  });

  it("notices that the same bytes were written again", async () => {
    const { landing, url, etag } = await submitted();
    await wire.putBlob(url, first);
    expect(await account.startCopy({ landing, etag, to: await newPlace() })).toEqual({ status: "sourceChanged" });
  });

  it("notices that the blob was archived after submit, which leaves its ETag alone", async () => {
    const { landing, url, etag } = await submitted();
    await wire.archive(url);
    expect(await account.startCopy({ landing, etag, to: await newPlace() })).toEqual({ status: "sourceChanged" });
  });

  it("says so where the landing container is gone", async () => {
    const { landing, etag } = await submitted();
    await account.deleteLanding(landing);
    expect(await account.startCopy({ landing, etag, to: await newPlace() })).toEqual({ status: "sourceMissing" });
  });

  it("is not hindered by a lease that the stamp took after submit", async () => {
    const { landing, url, etag } = await submitted();
    await wire.lease(url, -1);
    expect(await account.startCopy({ landing, etag, to: await newPlace() })).toMatchObject({ status: "success" });
  });

  it("blames nobody's upload where the day's container is missing", async () => {
    const { landing, etag } = await submitted();
    await expect(account.startCopy({ landing, etag, to: newLocation() })).rejects.toThrow();
  });

  it("has one effect when it is repeated, whatever happened to the source meanwhile", async () => {
    const { landing, url, etag, to, copy } = await copied();
    expect(await account.startCopy({ landing, etag, to })).toEqual(copy);
    await wire.putBlob(url, second);
    expect(await account.startCopy({ landing, etag, to })).toEqual(copy);
    await account.deleteLanding(landing);
    expect(await account.startCopy({ landing, etag, to })).toEqual(copy);
  });

  it("happens once when it is started many times at once", async () => {
    const { landing, etag } = await submitted();
    const to = await newPlace();
    const copies = await Promise.all(Array.from({ length: 6 }, () => account.startCopy({ landing, etag, to })));
    expect(new Set(copies.map((copy) => JSON.stringify(copy))).size).toBe(1);
    expect(copies[0]).toMatchObject({ status: "success" });
  });

  it("leaves what the stamp wrote beside the bytes behind", async () => {
    const { to } = await copied({ "x-ms-meta-operator": "somebody@contoso.example" });
    expect((await copyOf(to).getProperties()).metadata).toEqual({ copiedby: "intake" });
  });
});

describe("[invariant 6] a copy", () => {
  it("is untouched by whatever the stamp writes after it", async () => {
    const { url, to, copy } = await copied();
    for (const attempt of Object.values(wire.everyWrite)) await attempt(url);
    expect(await account.copyState(to)).toEqual(copy);
    expect(await account.readAndHash(to, copy)).toMatchObject({ sha256: sha256(first) });
  });

  it("outlives its landing container", async () => {
    const { landing, to, copy } = await copied();
    await account.deleteLanding(landing);
    expect(await account.readAndHash(to, copy)).toMatchObject({ sha256: sha256(first) });
  });

  it("cannot be written with the upload's URL", async () => {
    const { url, to } = await copied();
    const target = new URL(url);
    target.pathname = new URL(copyOf(to).url).pathname;
    for (const attempt of Object.values(wire.everyWrite)) expect((await attempt(target.href)).status).toBe(403);
  });
});

describe("deleting one bundle", () => {
  it("deletes its copy with every snapshot, and no other bundle", async () => {
    const { landing, etag, to, copy } = await copied();
    const beside = newLocation(to.day);
    await account.startCopy({ landing, etag, to: beside });
    await copyOf(to).createSnapshot();

    await account.deleteBundle(to);

    expect(await account.copyState(to)).toBeUndefined();
    await expect(account.readAndHash(to, copy)).rejects.toThrow();
    expect(await account.copyState(beside)).toMatchObject({ status: "success" });
  });

  it("may be repeated, and needs no blob and no day", async () => {
    const { to } = await copied();
    await account.deleteBundle(to);
    await account.deleteBundle(to);
    await account.deleteBundle(newLocation());
  });

  it("makes room for another copy", async () => {
    const { landing, etag, to } = await copied();
    await account.deleteBundle(to);
    expect(await account.startCopy({ landing, etag, to })).toMatchObject({ status: "success" });
  });

  it("leaves the landing container to itself", async () => {
    const { landing, to } = await copied();
    await account.deleteBundle(to);
    expect(await storage.getContainerClient(landing).getBlobClient(landingBlobName).exists()).toBe(true);
  });
});
