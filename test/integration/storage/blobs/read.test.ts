import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bundleBlobName, dayContainerName } from "../../../../shared/domain/containers.ts";
import { zipTailBytes } from "../../../../shared/domain/zip.ts";
import { inMinutes, newLocation, openTestAccount } from "./support/account.ts";
import { breakingProxy } from "./support/proxy.ts";
import * as wire from "./support/wire.ts";

const { account, storage } = openTestAccount();

const MiB = 1024 * 1024;

/** Of 4 MiB each, the last one shorter. */
const rangesOf30MiB = 8;

/** Bytes that tell where they belong: a swapped or repeated range changes the digest. */
function numbered(sizeBytes: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

async function stored(bytes: Buffer, headers: { blobContentEncoding?: string } = {}) {
  const at = newLocation();
  await account.ensureDay(at.day);
  const blob = storage.getContainerClient(dayContainerName(at.day)).getBlockBlobClient(bundleBlobName(at));
  const { etag = "" } = await blob.upload(bytes, bytes.length, { blobHTTPHeaders: headers });
  return { at, blob, version: { etag, sizeBytes: bytes.length } };
}

const contentOf = (bytes: Buffer) => ({
  sha256: createHash("sha256").update(bytes).digest("hex"),
  head: bytes.subarray(0, 64 * 1024),
  tail: bytes.subarray(Math.max(0, bytes.length - zipTailBytes)),
});

describe("reading and hashing a bundle", () => {
  it.each([0, 1, 4_097, 64 * 1024, zipTailBytes + 1, 4 * MiB - 1, 4 * MiB, 4 * MiB + 1, 45 * MiB + 5])(
    "gives the digest and both ends of %i bytes",
    async (sizeBytes) => {
      const bytes = numbered(sizeBytes);
      const { at, version } = await stored(bytes);
      const content = await account.readAndHash(at, version);
      expect(content.sha256).toBe(contentOf(bytes).sha256);
      expect(contentOf(bytes).head.equals(content.head)).toBe(true);
      expect(contentOf(bytes).tail.equals(content.tail)).toBe(true);
    },
  );

  it("pulls each byte once", async () => {
    const { account: counted, calls } = openTestAccount();
    const { at, version } = await stored(numbered(30 * MiB));
    await counted.readAndHash(at, version);
    expect(calls).toHaveLength(rangesOf30MiB);
  });

  it("keeps several readings at once apart", async () => {
    const bundles = await Promise.all(
      [13, 1, 26]
        .map((size) => numbered(size * MiB + size))
        .map(async (bytes) => ({ bytes, ...(await stored(bytes)) })),
    );
    const contents = await Promise.all(bundles.map(({ at, version }) => account.readAndHash(at, version)));
    expect(contents.map(({ sha256 }) => sha256)).toEqual(bundles.map(({ bytes }) => contentOf(bytes).sha256));
  });

  it("reads no other version than the one asked for", async () => {
    const { at, blob, version } = await stored(numbered(7 * MiB));
    await blob.upload("another", 7);
    await expect(account.readAndHash(at, version)).rejects.toMatchObject({ statusCode: 412 });
  });

  it("takes up connections that drop where they broke off", async () => {
    const bytes = numbered(30 * MiB);
    const { at, version } = await stored(bytes);
    await using proxy = await breakingProxy(new URL(storage.url), { cuts: 6, afterBytes: 100_000 });
    const flaky = openTestAccount({ port: proxy.port });
    expect((await flaky.account.readAndHash(at, version)).sha256).toBe(contentOf(bytes).sha256);
    expect(flaky.calls).toHaveLength(rangesOf30MiB + 6);
  });

  it("is unavailable, and not a digest, where connections keep dropping", async () => {
    const { at, version } = await stored(numbered(30 * MiB));
    await using proxy = await breakingProxy(new URL(storage.url), { cuts: 1_000, afterBytes: 5_000 });
    const broken = openTestAccount({ port: proxy.port });
    await expect(broken.account.readAndHash(at, version)).rejects.toMatchObject({ code: "ServiceUnavailable" });
  });
});

describe("a read URL", () => {
  const download = { fileName: "AzureStackLogs-20240927104305-SAC14-ERCS01.zip" };
  const urlOf = async (fileName = download.fileName) => {
    const { at } = await stored(Buffer.from("the bundle"));
    return account.readUrl(at, { ...download, fileName, expiresOn: inMinutes(15) });
  };

  it("downloads the bundle as a file of its name", async () => {
    const answer = await fetch(await urlOf());
    expect(await answer.text()).toBe("the bundle");
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="${download.fileName}"`);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("quotes and escapes a name of any characters, as RFC 6266 and RFC 8187 have it", async () => {
    const answer = await fetch(await urlOf(`Журнал's "(1)"; x=\\y.zip`));
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="______'s __1___ x__y.zip"; filename*=UTF-8''%D0%96%D1%83%D1%80%D0%BD%D0%B0%D0%BB%27s%20%22%281%29%22%3B%20x%3D%5Cy.zip`.replace(
        "'s __1",
        "_s __1",
      ),
    );
  });

  it("gives the bytes as they were hashed, although the stamp called them compressed", async () => {
    const { at } = await stored(Buffer.from("not gzip"), { blobContentEncoding: "gzip" });
    const answer = await fetch(await account.readUrl(at, { ...download, expiresOn: inMinutes(15) }));
    expect(await answer.text()).toBe("not gzip");
  });

  it("only reads, and only the one bundle", async () => {
    const url = await urlOf();
    const other = await stored(Buffer.from("another"));
    const elsewhere = new URL(url);
    elsewhere.pathname = new URL(other.blob.url).pathname;
    expect((await fetch(elsewhere)).status).toBe(403);
    expect((await wire.send("DELETE", url)).status).toBe(403);
    for (const attempt of Object.values(wire.everyWrite)) expect((await attempt(url)).status).toBe(403);
  });

  it("lives at most 15 minutes", async () => {
    await expect(account.readUrl(newLocation(), { ...download, expiresOn: inMinutes(16) })).rejects.toThrow(RangeError);
  });
});
