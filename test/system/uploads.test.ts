import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { verifiedPaper } from "../support/system/papers.ts";
import { type Bundle, bundleShape, certificateShape, verificationShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import {
  blobsHeld,
  blockId,
  getBlob,
  moved,
  putBlob,
  putBlock,
  putBlockList,
  putBlocks,
  storageCall,
  type UploadTarget,
} from "../support/system/storage.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** From the URL to the verdict: what a stamp can do in its landing container, what is refused and rejected, and how every URL ends. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

type Upload = NonNullable<Bundle["upload"]>;

/** A created bundle with the URL to upload it to. */
async function opened(
  stamp: StampActor,
  sizeBytes: number,
): Promise<{ bundle: Bundle; bundleId: string; upload: Upload }> {
  const bundle = await stamp.createBundle({ sizeBytes });
  const { upload, bundleId } = bundle;
  if (upload === undefined) throw new Error("The bundle has no upload.");
  return { bundle, bundleId, upload };
}
const renewed = async (stamp: StampActor, bundleId: string): Promise<Bundle> =>
  bundleShape.parse(expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:renewUpload`), 200).json);
const uploadOf = ({ upload }: Bundle): Upload => {
  if (upload === undefined) throw new Error("The bundle has no upload.");
  return upload;
};
const cancel = async (stamp: StampActor, bundleId: string): Promise<Answer> =>
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancel`), 200);

describe("an upload URL", () => {
  it("writes one blob over the web for at most four hours, and reads, lists and deletes nothing", async () => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip();
    const { upload } = await opened(stamp, bytes.byteLength);
    const hours = (Date.parse(upload.expiresOn) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(0);
    expect(hours).toBeLessThanOrEqual(4.01);
    expect(upload.blockSizeBytes).toBeGreaterThan(0);
    expect(new URL(upload.url).searchParams.get("sp")).toBe("cw");
    expect(new URL(upload.url).searchParams.get("sr")).toBe("b");

    expectStatus(await putBlob(upload, bytes), 201);
    expect((await getBlob(upload.url)).status).toBe(403);
    expect((await storageCall(upload.url, "DELETE")).status).toBe(403);
    const elsewhere = new URL(upload.url);
    elsewhere.pathname = `${elsewhere.pathname}2`;
    expect((await putBlob({ ...upload, url: elsewhere.href }, bytes)).status).toBe(403);
    const container = new URL(upload.url);
    container.pathname = container.pathname.slice(0, container.pathname.lastIndexOf("/"));
    const listed = await storageCall(container.href, "GET", { query: { restype: "container", comp: "list" } });
    expect(listed.status).toBe(403);
  });

  it("leads to a landing container of its own for each bundle", async () => {
    const stamp = await world.registeredStamp();
    const [one, other] = [await opened(stamp, 10), await opened(stamp, 10)];
    expect(new URL(one.upload.url).pathname).toMatch(/\/landing-\d{8}-[^/]+\/[^/]+$/);
    expect(new URL(one.upload.url).pathname).not.toBe(new URL(other.upload.url).pathname);
  });

  it("says nothing of the stamp, the file or the bundle", async () => {
    const stamp = await world.registeredStamp();
    const { bundle, upload } = await opened(stamp, 10);
    for (const secret of [stamp.stampId, bundle.bundleId, bundle.fileName]) expect(upload.url).not.toContain(secret);
  });

  it("is given afresh by renewUpload and by reading, for the same blob", async () => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip();
    const { bundleId, upload } = await opened(stamp, bytes.byteLength);
    expectStatus(await putBlock(upload, blockId(0), bytes), 201);
    const read = uploadOf(await stamp.bundle(bundleId));
    const fresh = uploadOf(await renewed(stamp, bundleId));
    for (const { url } of [read, fresh]) expect(new URL(url).pathname).toBe(new URL(upload.url).pathname);
    expectStatus(await putBlockList(fresh, [blockId(0)]), 201);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    await stamp.waitFor(bundleId, "accepted");
  });
});

describe("bytes get there", () => {
  it("by one Put Blob", async () => {
    const stamp = await world.registeredStamp();
    expect((await stamp.acceptedBundle()).bundle.state).toBe("accepted");
  });

  it("by blocks, in any order, which show as staged until they are committed", async () => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip(300_000);
    const { bundleId, upload } = await opened(stamp, bytes.byteLength);
    const blocks = [0, 1, 2].map((index) => bytes.subarray(index * 110_000, (index + 1) * 110_000));
    for (const index of [2, 0, 1]) {
      expectStatus(await putBlock(upload, blockId(index), blocks[index] ?? Buffer.of()), 201);
    }
    const { stagedBlocks = [] } = await stamp.bundle(bundleId);
    const staged = stagedBlocks.toSorted((a, b) => a.id.localeCompare(b.id));
    expect(staged).toEqual(blocks.map((block, index) => ({ id: blockId(index), sizeBytes: block.byteLength })));
    expect((await renewed(stamp, bundleId)).stagedBlocks).toHaveLength(3);
    const auditor = await world.person("A");
    const seen = bundleShape.parse((await auditor.call("GET", stamp.bundlePath(bundleId))).json);
    expect(seen).not.toHaveProperty("upload");

    expectStatus(await putBlockList(upload, [0, 1, 2].map(blockId)), 201);
    expect((await stamp.bundle(bundleId)).stagedBlocks).toEqual([]);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    expect(await stamp.waitFor(bundleId, "accepted")).not.toHaveProperty("stagedBlocks");
  });

  it("again, where they were wrong and are not submitted yet", async () => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip();
    const { bundleId, upload } = await opened(stamp, bytes.byteLength);
    expectStatus(await putBlob(upload, randomBytes(500)), 201);
    expectStatus(await putBlocks(upload, bytes, 1000), 201);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    await stamp.waitFor(bundleId, "accepted");
  });
});

describe("a submit is refused, and nothing changes,", () => {
  const lease = (upload: UploadTarget) =>
    storageCall(upload.url, "PUT", {
      query: { comp: "lease" },
      headers: { "x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1" },
    });
  const spoilt: readonly [string, (upload: Upload, bytes: Buffer) => Promise<Answer>, code: string][] = [
    ["where blocks are only staged", (upload, bytes) => putBlock(upload, blockId(0), bytes), "NothingUploaded"],
    [
      "where the blob is leased",
      async (upload, bytes) => {
        expectStatus(await putBlob(upload, bytes), 201);
        return lease(upload);
      },
      "UnusableBlob",
    ],
    [
      "where the blob is archived",
      async (upload, bytes) => {
        expectStatus(await putBlob(upload, bytes), 201);
        return storageCall(upload.url, "PUT", { query: { comp: "tier" }, headers: { "x-ms-access-tier": "Archive" } });
      },
      "UnusableBlob",
    ],
    [
      "where it is a page blob",
      (upload) =>
        storageCall(upload.url, "PUT", {
          headers: { "x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "512" },
        }),
      "UnusableBlob",
    ],
    [
      "where it is an append blob",
      (upload) => storageCall(upload.url, "PUT", { headers: { "x-ms-blob-type": "AppendBlob" } }),
      "UnusableBlob",
    ],
  ];
  it.each(spoilt)("%s; uploaded well in the end, it is taken", async (what, spoil, code) => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip();
    const { bundleId, upload } = await opened(stamp, bytes.byteLength);
    const done = await spoil(upload, bytes);
    expect([200, 201, 202], done.text).toContain(done.status);
    expectRefusal(await unchanged(world, stamp, () => stamp.submit(bundleId, bytes)), 409, code);

    // An archived blob is not overwritten: it has to be brought back first.
    if (what.includes("archived")) {
      const headers = { "x-ms-access-tier": "Hot" };
      expect((await storageCall(upload.url, "PUT", { query: { comp: "tier" }, headers })).status).toBeLessThan(300);
    }
    if (what.includes("leased")) {
      const headers = { "x-ms-lease-action": "break", "x-ms-lease-break-period": "0" };
      expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "lease" }, headers }), 202);
    }
    expectStatus(await putBlob(upload, bytes), 201);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    await stamp.waitFor(bundleId, "accepted");
  });
});

const [zip, other] = [await makeZip(), await makeZip()];

describe("a bundle is rejected after its 202, and says why:", () => {
  const text = Buffer.from("These are no logs.");
  const truncated = zip.subarray(0, zip.byteLength - 30);
  const bad: readonly [what: string, declared: number, sent: Buffer, submitted: Buffer | undefined, code: string][] = [
    ["no bytes", 100, Buffer.of(), undefined, "SizeMismatch"],
    ["larger than declared", zip.byteLength, Buffer.concat([zip, Buffer.of(0)]), zip, "SizeMismatch"],
    ["smaller than declared", zip.byteLength, zip.subarray(1), zip, "SizeMismatch"],
    ["no zip", text.byteLength, text, text, "NotAZip"],
    ["a zip without its end", truncated.byteLength, truncated, truncated, "NotAZip"],
    ["one byte", 1, Buffer.of(0x50), Buffer.of(0x50), "NotAZip"],
    ["other bytes than the digest's", other.byteLength, other, zip.subarray(0, other.byteLength), "DigestMismatch"],
  ];
  it.each(bad)("%s", async (_what, declared, sent, submitted = Buffer.alloc(declared), code) => {
    const stamp = await world.registeredStamp();
    const { bundleId, upload } = await opened(stamp, declared);
    expectStatus(await putBlob(upload, sent), 201);
    const sha256 = sha256Hex(submitted);
    expectStatus(await stamp.submit(bundleId, submitted, { sizeBytes: declared, sha256 }), 202);
    const rejected = await stamp.waitFor(bundleId, "rejected");
    expect(rejected.rejection?.code).toBe(code);
    expect(rejected.rejection?.message.length).toBeGreaterThan(20);
    const asked = await stamp.call("GET", `${stamp.bundlePath(bundleId)}/verification`);
    expect(verificationShape.parse(asked.json)).toMatchObject({ status: "Failed", error: { code } });
    expect((await world.events(stamp.partition)).at(-1)).toMatchObject({ data: { bundleId } });

    await until("its bytes are gone", async () => (await stamp.bundle(bundleId)).purge?.deletedOn !== undefined);
    expect(await stamp.bundle(bundleId)).toMatchObject({ state: "rejected", purge: { basis: "rejected" } });
    expect((await putBlob(upload, zip)).status).toBeGreaterThanOrEqual(400);
    const again = await unchanged(world, stamp, () =>
      stamp.submit(bundleId, submitted, { sizeBytes: declared, sha256 }),
    );
    expect(bundleShape.parse(expectStatus(again, 202).json).state).toBe("rejected");
  });

  it("overwritten between submit and verification", async () => {
    const own = await openWorld({ "AzureWebJobs.verifyBundle.Disabled": "true" });
    try {
      const stamp = await own.registeredStamp();
      const bytes = await makeZip();
      const { bundleId, upload } = await opened(stamp, bytes.byteLength);
      expectStatus(await putBlob(upload, bytes), 201);
      expectStatus(await stamp.submit(bundleId, bytes), 202);
      expectStatus(await putBlob(upload, await makeZip()), 201);
      expect((await stamp.bundle(bundleId)).state).toBe("submitted");
      await own.restart({});
      expect((await stamp.waitFor(bundleId, "rejected")).rejection?.code).toBe("BlobChanged");
    } finally {
      await own.close();
    }
  });

  it("gives a deletion certificate for its bytes", async () => {
    const stamp = await world.registeredStamp();
    const { bundleId } = await stamp.submittedBundle({}, text);
    await stamp.waitFor(bundleId, "rejected");
    const answer = await until("the certificate", async () => {
      const asked = await stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`);
      return asked.status === 200 && asked;
    });
    const { certificate } = certificateShape.parse(answer.json);
    const claims = await verifiedPaper(world, certificate, "deletion-certificate+jwt");
    expect(claims).toMatchObject({ sub: stamp.stampId, bundleId, basis: "rejected", sizeBytes: text.byteLength });
    const { createdOn, purge } = await stamp.bundle(bundleId);
    expect(claims).toMatchObject({ createdOn, deletedOn: purge?.deletedOn });
  });
});

it("overwriting after the verdict changes nothing that support can read", async () => {
  const stamp = await world.registeredStamp();
  const bytes = await makeZip();
  const { bundleId, upload } = await opened(stamp, bytes.byteLength);
  expectStatus(await putBlob(upload, bytes), 201);
  expectStatus(await stamp.submit(bundleId, bytes), 202);
  const bundle = await stamp.waitFor(bundleId, "accepted");
  await writesNoMore([upload]);
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  await supportCase.link(bundle);
  const { grantId } = await supportCase.grant([bundle]);
  const read = await getBlob(await supportCase.url(grantId, bundle));
  expect(sha256Hex(read.body)).toBe(sha256Hex(bytes));
});

/** Every way to write that a URL with `cw` has. The landing container goes at once, or soon after the verdict. */
async function writesNoMore(uploads: readonly UploadTarget[]): Promise<void> {
  const bytes = Buffer.from("late");
  for (const upload of uploads) {
    await until("the landing container is gone", async () => (await putBlock(upload, blockId(9), bytes)).status >= 400);
    const { pathname } = new URL(upload.url);
    const tries = [
      await putBlob(upload, bytes),
      await putBlock(upload, blockId(0), bytes),
      await putBlockList(upload, [blockId(0)]),
      await storageCall(upload.url, "PUT", { headers: { "x-ms-blob-type": "AppendBlob" } }),
      await storageCall(upload.url, "PUT", { query: { comp: "snapshot" } }),
      await storageCall(upload.url, "PUT", { query: { comp: "metadata" }, headers: { "x-ms-meta-a": "b" } }),
      await storageCall(upload.url, "PUT", { headers: { "x-ms-copy-source": upload.url } }),
    ];
    for (const { status, text } of tries) expect(status, text).toBeGreaterThanOrEqual(400);
    const [container = ""] = pathname.split("/").slice(-2);
    expect((await blobsHeld(world.service.directory)).filter((name) => name.startsWith(container))).toEqual([]);
  }
}

describe("no URL that was issued writes any more, once the upload has ended,", () => {
  const deeds: readonly [string, (upload: Upload) => Promise<unknown>][] = [
    ["where nothing was done with it", async () => undefined],
    ["after blocks were staged", (upload) => putBlock(upload, blockId(0), Buffer.alloc(1000))],
    ["after a blob was committed", (upload) => putBlob(upload, Buffer.alloc(1000))],
    [
      "after the blob was leased for ever",
      async (upload) => {
        await putBlob(upload, Buffer.alloc(1000));
        const headers = { "x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1" };
        expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "lease" }, headers }), 201);
      },
    ],
    [
      "after snapshots were taken",
      async (upload) => {
        await putBlob(upload, Buffer.alloc(1000));
        for (let count = 0; count < 2; count++) {
          expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "snapshot" } }), 201);
        }
      },
    ],
    [
      "after the blob was archived",
      async (upload) => {
        await putBlob(upload, Buffer.alloc(1000));
        const headers = { "x-ms-access-tier": "Archive" };
        expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "tier" }, headers }), 200);
      },
    ],
    [
      "after a page blob was made",
      (upload) =>
        storageCall(upload.url, "PUT", {
          headers: { "x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "512" },
        }),
    ],
    [
      "after it was leased, snapshotted and staged to at once",
      async (upload) => {
        await putBlob(upload, Buffer.alloc(1000));
        await storageCall(upload.url, "PUT", { query: { comp: "snapshot" } });
        await putBlock(upload, blockId(1), Buffer.alloc(1000));
        const headers = { "x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1" };
        expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "lease" }, headers }), 201);
      },
    ],
  ];
  it.each(deeds)("canceled, %s", async (_what, deed) => {
    const stamp = await world.registeredStamp();
    const { bundleId, upload } = await opened(stamp, 1000);
    const uploads = [upload, uploadOf(await renewed(stamp, bundleId)), uploadOf(await stamp.bundle(bundleId))];
    await deed(upload);
    await cancel(stamp, bundleId);
    await writesNoMore(uploads);
  });

  it("accepted, after snapshots were taken", async () => {
    const stamp = await world.registeredStamp();
    const bytes = await makeZip();
    const { bundleId, upload } = await opened(stamp, bytes.byteLength);
    expectStatus(await putBlob(upload, bytes), 201);
    expectStatus(await storageCall(upload.url, "PUT", { query: { comp: "snapshot" } }), 201);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    await stamp.waitFor(bundleId, "accepted");
    await writesNoMore([upload]);
  });

  it("while twenty blocks are under way", async () => {
    const stamp = await world.registeredStamp();
    const { bundleId, upload } = await opened(stamp, 20_000_000);
    const writes = Array.from({ length: 20 }, (_, index) => putBlock(upload, blockId(index), Buffer.alloc(1_000_000)));
    await cancel(stamp, bundleId);
    await Promise.all(writes);
    await writesNoMore([upload]);
  });
});

describe("a created bundle that nobody submits", () => {
  it("expires after 48 hours, with all that was sent of it, and others live on", async () => {
    const own = await openWorld();
    try {
      const stamp = await own.registeredStamp();
      const bytes = await makeZip();
      const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
      await stamp.upload(bundle, bytes);
      const accepted = await stamp.acceptedBundle();

      await own.restart({ CLOCK_OFFSET_DAYS: "1.9" });
      await own.runTimer("sweepUnfinished");
      const still = await stamp.bundle(bundle.bundleId);
      expect(still.state).toBe("created");

      await own.restart({ CLOCK_OFFSET_DAYS: "2.1" });
      expectRefusal(await stamp.submit(bundle.bundleId, bytes), 409, "InvalidState");
      await own.runTimer("sweepUnfinished");
      const expired = await stamp.bundle(bundle.bundleId);
      expect(expired).toMatchObject({ state: "expired", purge: { basis: "expired" } });
      expect(expired.purge?.deletedOn).toBeDefined();
      expect(expired).not.toHaveProperty("upload");
      expect((await own.events(stamp.partition)).map(({ type }) => type)).toContain("bundle.expired");
      expect((await stamp.bundle(accepted.bundleId)).state).toBe("accepted");
      const upload = uploadOf(still);
      const url = await moved(upload.url, own.service.directory);
      expect((await putBlob({ ...upload, url }, bytes)).status).toBeGreaterThanOrEqual(400);
      const held = await blobsHeld(own.service.directory);
      expect(held.filter((name) => name.startsWith("landing-"))).toEqual([]);
      expect(held.filter((name) => /^bundles-[^.]*$/.test(name))).toHaveLength(1);
      for (const name of ["cancel", "renewUpload"]) {
        const answer = await stamp.call("POST", `${stamp.bundlePath(bundle.bundleId)}:${name}`);
        expectRefusal(answer, 409, "InvalidState");
      }
    } finally {
      await own.close();
    }
  });
});
