import { describe, expect, it } from "vitest";
import { landingBlobName } from "../../../../shared/domain/containers.ts";
import { inMinutes, newLandingName, openTestAccount } from "./support/account.ts";
import * as wire from "./support/wire.ts";

const { account, storage } = openTestAccount();

async function newUpload() {
  const container = newLandingName();
  await account.createLanding(container);
  return { container, url: await account.uploadUrl(container, { expiresOn: inMinutes(240) }) };
}

const codeOf = (response: Response) => response.headers.get("x-ms-error-code");

describe("a landing container", () => {
  it("is made in one round trip, and once where the call is sent again: its random name is taken by nobody else", async () => {
    const { account: counted, calls } = openTestAccount();
    const container = newLandingName();
    await counted.createLanding(container);
    expect(calls).toHaveLength(1);
    await wire.putBlob(await counted.uploadUrl(container, { expiresOn: inMinutes(1) }));
    await counted.createLanding(container);
    expect(await counted.landed(container)).toMatchObject({ kind: "usable" });
  });

  it("shows no blob before one is committed", async () => {
    const { container, url } = await newUpload();
    expect(await account.landed(container)).toBeUndefined();
    expect((await wire.putBlock(url, 0)).status).toBe(201);
    expect(await account.landed(container)).toBeUndefined();
    expect(await account.landed(newLandingName())).toBeUndefined();
  });

  it("tells the staged blocks with their sizes, and none once they are committed", async () => {
    const { container, url } = await newUpload();
    expect(await account.stagedBlocks(container)).toEqual([]);
    expect(await account.stagedBlocks(newLandingName())).toEqual([]);
    await wire.putBlock(url, 0, new Uint8Array(100));
    await wire.putBlock(url, 1, new Uint8Array(23));
    expect(await account.stagedBlocks(container)).toEqual([
      { id: Buffer.from("000000").toString("base64"), sizeBytes: 100 },
      { id: Buffer.from("000001").toString("base64"), sizeBytes: 23 },
    ]);
    expect((await wire.commitBlocks(url, 0, 1)).status).toBe(201);
    expect(await account.stagedBlocks(container)).toEqual([]);
    expect(await account.landed(container)).toMatchObject({ kind: "usable", sizeBytes: 123 });
  });

  it("tells the committed blob in one round trip, with the ETag that the upload was answered", async () => {
    const { account: counted, calls } = openTestAccount();
    const { container, url } = await newUpload();
    const etag = (await wire.putBlob(url, new Uint8Array(77))).headers.get("etag");
    expect(await counted.landed(container)).toEqual({ kind: "usable", etag, sizeBytes: 77 });
    expect(calls).toHaveLength(1);
  });

  it.each<[string, string, (url: string) => Promise<unknown>]>([
    ["leased for a while", "leased", async (url) => [await wire.putBlob(url), await wire.lease(url, 60)]],
    ["leased for ever", "leased", async (url) => [await wire.putBlob(url), await wire.lease(url, -1)]],
    [
      "leased and about to be free",
      "leased",
      async (url) => [await wire.putBlob(url), await wire.lease(url, -1), await wire.breakLease(url, 60)],
    ],
    ["archived", "archived", async (url) => [await wire.putBlob(url), await wire.archive(url)]],
    ["a page blob", "notABlockBlob", wire.putPageBlob],
    ["an append blob", "notABlockBlob", wire.putAppendBlob],
  ])("recognises a blob that is %s", async (_, reason, make) => {
    const { container, url } = await newUpload();
    await make(url);
    expect(await account.landed(container)).toEqual({ kind: "unusable", reason });
    expect(await account.stagedBlocks(container)).toEqual([]);
  });
});

describe("an upload URL", () => {
  it("may not read, list, delete or tag", async () => {
    const { url } = await newUpload();
    await wire.putBlob(url);
    const refused = [
      await wire.send("GET", url),
      await wire.send("HEAD", url),
      await wire.send("DELETE", url),
      await wire.send("GET", url, "comp=blocklist"),
      await wire.send("GET", url, "comp=tags"),
      await wire.send("GET", url.replace(`/${landingBlobName}?`, "?"), "restype=container&comp=list"),
      await wire.send("DELETE", url.replace(`/${landingBlobName}?`, "?"), "restype=container"),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
  });

  it("writes no other blob and in no other container", async () => {
    const one = await newUpload();
    const other = await newUpload();
    expect((await wire.putBlob(one.url.replace(landingBlobName, "other.zip"))).status).toBe(403);
    expect((await wire.putBlob(one.url.replace(one.container, other.container))).status).toBe(403);
  });

  it("lives at most 4 hours", async () => {
    const container = newLandingName();
    await expect(account.uploadUrl(container, { expiresOn: inMinutes(241) })).rejects.toThrow(RangeError);
  });

  it("is dead once it has expired", async () => {
    const before = openTestAccount({ now: () => inMinutes(-61) });
    const container = newLandingName();
    await account.createLanding(container);
    const url = await before.account.uploadUrl(container, { expiresOn: inMinutes(-1) });
    expect((await wire.putBlob(url)).status).toBe(403);
  });

  it("starts in the past, for clocks differ", async () => {
    const starts = new URL((await newUpload()).url).searchParams.get("st") ?? "";
    expect(Date.parse(starts)).toBeLessThan(Date.now() - 4 * 60_000);
  });
});

describe("[invariant 3] deleting a landing container", () => {
  const preparations: Record<string, (url: string) => Promise<unknown>> = {
    "nothing was sent": async () => {},
    "blocks were staged": (url) => wire.putBlock(url, 0),
    "a blob was committed": (url) => wire.putBlob(url),
    "blocks were staged on a committed blob": async (url) => [await wire.putBlob(url), await wire.putBlock(url, 0)],
    "the blob was leased for ever": async (url) => [await wire.putBlob(url), await wire.lease(url, -1)],
    "snapshots were taken": async (url) => [
      await wire.putBlob(url),
      await wire.snapshot(url),
      await wire.snapshot(url),
    ],
    "the blob was archived": async (url) => [await wire.putBlob(url), await wire.archive(url)],
    "a page blob was made and leased": async (url) => [await wire.putPageBlob(url), await wire.lease(url, -1)],
    "an append blob was made": wire.putAppendBlob,
  };

  it.each(Object.entries(preparations))("ends every URL although %s", async (_, prepare) => {
    const { container, url } = await newUpload();
    const renewed = await account.uploadUrl(container, { expiresOn: inMinutes(120) });
    await prepare(url);

    await account.deleteLanding(container);

    for (const held of [url, renewed]) {
      for (const [write, attempt] of Object.entries(wire.everyWrite)) {
        const answer = await attempt(held);
        expect([write, answer.status, codeOf(answer)]).toEqual([write, 404, "ContainerNotFound"]);
      }
    }
    expect(await storage.getContainerClient(container).exists()).toBe(false);
  });

  it("proves its own test: the same writes reach a container that was not deleted", async () => {
    const { url } = await newUpload();
    for (const attempt of Object.values(wire.everyWrite)) {
      expect([403, 404]).not.toContain((await wire.putBlob(url)).status);
      expect(codeOf(await attempt(url))).not.toBe("ContainerNotFound");
      await wire.breakLease(url, 0);
    }
  });

  it("wins against writers that do not stop", async () => {
    const { container, url } = await newUpload();
    await wire.putBlob(url);
    let ended = false;
    const writers = Array.from({ length: 8 }, async (_, n) => {
      const statuses: number[] = [];
      while (!ended || statuses.at(-1) !== 404) {
        statuses.push((await (n % 2 === 0 ? wire.putBlob(url) : wire.putBlock(url, n))).status);
      }
      return statuses;
    });
    await account.deleteLanding(container);
    ended = true;
    for (const statuses of await Promise.all(writers)) {
      const firstRefusal = statuses.indexOf(404);
      expect(statuses.slice(firstRefusal)).toEqual(statuses.slice(firstRefusal).map(() => 404));
    }
    expect(await storage.getContainerClient(container).exists()).toBe(false);
  });

  it("may be repeated, and needs no container", async () => {
    const { container } = await newUpload();
    await account.deleteLanding(container);
    await account.deleteLanding(container);
    await account.deleteLanding(newLandingName());
  });
});
