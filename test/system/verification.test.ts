import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, ofBundle } from "../support/ledger.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { type Bundle, bundlePage, bundleShape, certificateShape, verificationShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { blobsHeld, getBlob, putBlob, putBlocks } from "../support/system/storage.ts";
import { openWorld, type Person, readAll, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** What becomes of a bundle after its 202: accepted, or rejected with a code that its stamp can read. */

let world: World;
let stamp: StampActor;
let auditor: Person;
beforeAll(async () => {
  world = await openWorld();
  [stamp, auditor] = await Promise.all([world.registeredStamp(), world.person("A")]);
});
afterAll(() => world.close());

const verification = async (bundleId: string) =>
  verificationShape.parse(
    expectStatus(await stamp.call("GET", `${stamp.bundlePath(bundleId)}/verification`), 200).json,
  );

/** Sends `bytes` as the bundle's content, and submits what `said` says of it. */
async function sent(bytes: Buffer, said: { readonly sizeBytes: number; readonly sha256: string }): Promise<Bundle> {
  const bundle = await stamp.createBundle({ sizeBytes: said.sizeBytes });
  const { upload } = bundle;
  if (upload === undefined) throw new Error("The bundle has no upload");
  expectStatus(await putBlob(upload, bytes), 201);
  expectStatus(await stamp.submit(bundle.bundleId, bytes, said), 202);
  return bundle;
}
const honestly = (bytes: Buffer) => ({ sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes) });

describe("a bundle that is what its stamp signed", () => {
  it("[invariant 6] is accepted, and the operation that was promised says so", async () => {
    const bytes = await makeZip();
    const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    const { bundleId } = bundle;
    expect(await verification(bundleId)).toMatchObject({ id: bundleId, status: "NotStarted", attempts: 0 });
    await stamp.upload(bundle, bytes);
    const answer = expectStatus(await stamp.submit(bundleId, bytes), 202);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(0);
    expect(bundleShape.parse(answer.json)).toMatchObject({ state: "submitted", sha256: sha256Hex(bytes) });

    const operation = new URL(answer.headers["operation-location"] ?? "");
    expect(operation.origin).toBe(world.origin);
    expect(operation.pathname).toBe(`${stamp.bundlePath(bundleId)}/verification`);
    expect(operation.searchParams.get("api-version")).toBe("2026-11-01");
    const accepted = await stamp.waitFor(bundleId, "accepted");
    expect(Date.parse(accepted.acceptedOn ?? "")).toBeGreaterThanOrEqual(Date.parse(accepted.submittedOn ?? ""));
    expect(accepted).toMatchObject({ sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength });
    expect(accepted).not.toHaveProperty("upload");
    expect(accepted).not.toHaveProperty("stagedBlocks");
    for (const call of [stamp.call, auditor.call]) {
      const seen = verificationShape.parse((await call("GET", operation.pathname)).json);
      expect(seen).toMatchObject({ id: bundleId, status: "Succeeded", attempts: 1 });
      expect(seen).not.toHaveProperty("error");
    }
    expectRefusal(await (await world.person("R")).call("GET", operation.pathname), 403, "RoleMissing");
    const events = counted(ofBundle(await world.events(stamp.partition), bundleId));
    expect(events).toEqual({ "bundle.created": 1, "bundle.submitted": 1, "bundle.accepted": 1 });
  });

  it("is accepted where it holds nothing, and says what it lacks", async () => {
    const bytes = Buffer.from("PK\x05\x06".padEnd(22, "\0"), "latin1");
    const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength, roles: ["Storage"] });
    await stamp.upload(bundle, bytes);
    expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
    const accepted = await stamp.waitFor(bundle.bundleId, "accepted");
    expect(accepted).toMatchObject({ completeness: { verdict: "incomplete" } });
  });

  it("is accepted from blocks, of 30 MB too", async () => {
    const bytes = await makeZip(30_000_000);
    const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    if (bundle.upload === undefined) throw new Error("The bundle has no upload");
    expectStatus(await putBlocks(bundle.upload, bytes, 8_000_000), 201);
    expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
    await stamp.waitFor(bundle.bundleId, "accepted");
  });
});

describe("[invariant 6] a bundle that is not is rejected, with its reason, and leaves no byte", () => {
  it.each([
    ["0 bytes", "SizeMismatch", async () => ({ bytes: Buffer.alloc(0), said: honestly(await makeZip()) })],
    [
      "fewer bytes than declared",
      "SizeMismatch",
      async () => {
        const whole = await makeZip();
        return { bytes: whole.subarray(0, -1), said: honestly(whole) };
      },
    ],
    [
      "more bytes than declared",
      "SizeMismatch",
      async () => {
        const whole = await makeZip();
        return { bytes: Buffer.concat([whole, Buffer.from("x")]), said: honestly(whole) };
      },
    ],
    [
      "another digest",
      "DigestMismatch",
      async () => {
        const bytes = await makeZip();
        return { bytes, said: { ...honestly(bytes), sha256: sha256Hex(Buffer.from("other")) } };
      },
    ],
    [
      "one bit turned",
      "DigestMismatch",
      async () => {
        const whole = await makeZip();
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
        return { bytes, said: honestly(whole) };
      },
    ],
    [
      "no zip",
      "NotAZip",
      async () => {
        const bytes = Buffer.from("These are no logs.".repeat(50));
        return { bytes, said: honestly(bytes) };
      },
    ],
    [
      "half a zip, honestly declared",
      "NotAZip",
      async () => {
        const whole = await makeZip();
        const bytes = Buffer.from(whole.subarray(0, whole.byteLength / 2));
        return { bytes, said: honestly(bytes) };
      },
    ],
    [
      "one byte",
      "NotAZip",
      async () => {
        const bytes = Buffer.from("P");
        return { bytes, said: honestly(bytes) };
      },
    ],
  ])("%s: %s", async (_, code, make) => {
    const { bytes, said } = await make();
    const { bundleId, upload } = await sent(bytes, said);
    const rejected = await stamp.waitFor(bundleId, "rejected");
    expect(rejected.rejection?.code).toBe(code);
    expect(rejected.rejection?.message.length).toBeGreaterThan(20);
    const purged = await purgedOf(bundleId);
    expect(purged).toMatchObject({ state: "rejected", purge: { basis: "rejected" } });
    expect(await verification(bundleId)).toMatchObject({ status: "Failed", error: { code } });
    expect((await blobsHeld(world.service.directory)).filter((name) => name.includes(bundleId))).toEqual([]);
    if (upload !== undefined) expect((await putBlob(upload, bytes)).status).toBe(404);

    const [listed] = bundlePage.parse({ value: await readAll(stamp.call, `${stamp.path}/bundles`) }).value;
    expect(listed).toMatchObject({ bundleId, state: "rejected", rejection: { code } });
    const certificate = await stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`);
    certificateShape.parse(expectStatus(certificate, 200).json);
    expect(counted(ofBundle(await world.events(stamp.partition), bundleId))).toEqual({
      "bundle.created": 1,
      "bundle.submitted": 1,
      "bundle.rejected": 1,
      "bundle.purged": 1,
    });
    expectRefusal(
      await stamp.submit(bundleId, bytes, { sizeBytes: said.sizeBytes, sha256: "0".repeat(64) }),
      409,
      "BundleConflict",
    );
  });

  /** The verdict shows before the bytes are gone; both come at once. */
  const purgedOf = (bundleId: string): Promise<Bundle> =>
    until("the bytes are gone", async () => {
      const bundle = await stamp.bundle(bundleId);
      return bundle.purge?.deletedOn !== undefined && bundle;
    });
});

describe("[invariant 6] bytes that change after the submit", () => {
  it("never become what support reads: the version that was submitted is accepted, or BlobChanged", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    for (let round = 0; round < 8; round += 1) {
      const bytes = await makeZip();
      const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
      const { bundleId, upload } = bundle;
      if (upload === undefined) throw new Error("The bundle has no upload");
      await stamp.upload(bundle, bytes);
      const other = await makeZip();
      const [submitted, overwritten] = await Promise.all([stamp.submit(bundleId, bytes), putBlob(upload, other)]);
      expectStatus(submitted, 202);
      // Written before the submit it was what was submitted, and not what was signed; after it, it is a change, or too late.
      expect([201, 404, 409, 412]).toContain(overwritten.status);
      const ended = await until("the verdict", async () => {
        const found = await stamp.bundle(bundleId);
        return found.state !== "submitted" && found;
      });
      if (ended.state === "rejected") {
        expect(["BlobChanged", "DigestMismatch", "SizeMismatch"]).toContain(ended.rejection?.code);
        continue;
      }
      expectStatus(await supportCase.link(ended), 201);
      const { grantId } = await supportCase.grant([ended]);
      expect((await getBlob(await supportCase.url(grantId, ended))).body.equals(bytes)).toBe(true);
    }
  });

  it("cannot be written once it is accepted, and support reads what was verified", async () => {
    const bytes = await makeZip();
    const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    const { bundleId, upload } = bundle;
    if (upload === undefined) throw new Error("The bundle has no upload");
    await stamp.upload(bundle, bytes);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    const accepted = await stamp.waitFor(bundleId, "accepted");
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(accepted), 201);
    const { grantId } = await supportCase.grant([accepted]);
    await putBlob(upload, await makeZip());
    expect((await getBlob(await supportCase.url(grantId, accepted))).body.equals(bytes)).toBe(true);
    expect(await stamp.bundle(bundleId)).toMatchObject({ state: "accepted", sha256: sha256Hex(bytes) });
  });
});
