import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { type PipelinePolicy, RestError } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BundleAccount, openBundleAccount } from "../../../../shared/storage/blobs/account.ts";
import { startTestAzurite, type TestAzurite, testAccount } from "../../../support/azurite.ts";
import { countCalls, inMinutes, newLandingName, newLocation } from "./support/account.ts";
import * as wire from "./support/wire.ts";

/** The way it is in Azure: an identity instead of a key, over HTTPS. */

const certificate = (name: string) => fileURLToPath(new URL(`../../../support/certs/${name}`, import.meta.url));
const cert = certificate("localhost.cert.pem");
const trustedBefore = getCACertificates("default");
let azurite: TestAzurite;

beforeAll(async () => {
  setDefaultCACertificates([...trustedBefore, readFileSync(cert, "utf8")]);
  // Azurite calls itself to check a copy's source.
  process.env.NODE_EXTRA_CA_CERTS = cert;
  azurite = await startTestAzurite({ https: { cert, key: certificate("localhost.key.pem") } });
});

afterAll(async () => {
  await azurite.stop();
  delete process.env.NODE_EXTRA_CA_CERTS;
  setDefaultCACertificates(trustedBefore);
});

const seconds = (time: Date) => Math.floor(time.getTime() / 1_000);
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that says what Azurite reads (`--oauth basic` checks no signature). */
const identity: TokenCredential = {
  getToken: async () => {
    const expiresOn = inMinutes(60);
    const claims = {
      aud: "https://storage.azure.com",
      iss: "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
      iat: seconds(new Date()),
      nbf: seconds(inMinutes(-1)),
      exp: seconds(expiresOn),
      oid: randomUUID(),
      tid: "ab1f708d-50f6-404c-a006-d71b2ac7a606",
    };
    return {
      token: `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.unsigned`,
      expiresOnTimestamp: expiresOn.getTime(),
    };
  },
};

type Options = { now?: () => Date; credential?: TokenCredential; keysFail?: () => boolean };

function openAccount({ now, credential = identity, keysFail = () => false }: Options = {}): {
  account: BundleAccount;
  keysAsked: () => number;
} {
  const { policy, calls } = countCalls();
  const failing: PipelinePolicy = {
    name: "failing",
    sendRequest: (request, next) => {
      if (!keysFail() || !request.url.includes("userdelegationkey")) return next(request);
      throw new RestError("no line", { code: RestError.REQUEST_SEND_ERROR, request });
    },
  };
  const account = openBundleAccount({
    name: testAccount.name,
    blobEndpoint: azurite.endpoints.blob,
    credential,
    policies: [policy, failing],
    ...(now === undefined ? {} : { now }),
  });
  return { account, keysAsked: () => calls.filter((call) => call.includes("userdelegationkey")).length };
}

const download = { fileName: "a.zip" };

describe("an account that is opened with an identity", () => {
  it("takes an upload, copies it, hashes it, lends it and deletes it", async () => {
    const { account, keysAsked } = openAccount();
    const bytes = new Uint8Array(9_000_000).fill(3);
    const landing = newLandingName();
    const at = newLocation();
    await account.createLanding(landing);
    const uploadUrl = await account.uploadUrl(landing, { expiresOn: inMinutes(240) });
    expect((await wire.putBlob(uploadUrl, bytes)).status).toBe(201);
    const landed = await account.landed(landing);
    if (landed?.kind !== "usable") throw new Error("the upload did not land");

    await account.ensureDay(at.day);
    const copy = await account.startCopy({ landing, etag: landed.etag, to: at });
    if (copy.status !== "success") throw new Error(`the copy is ${copy.status}`);
    const content = await account.readAndHash(at, copy);
    expect(content.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));

    const readUrl = await account.readUrl(at, { ...download, expiresOn: inMinutes(15) });
    expect((await (await fetch(readUrl)).arrayBuffer()).byteLength).toBe(bytes.length);

    await account.deleteLanding(landing);
    await account.deleteDay(at.day);
    expect((await wire.putBlob(uploadUrl)).status).toBe(404);
    expect((await fetch(readUrl)).status).toBe(404);
    // One for uploads, one for the source of copies, one for reads.
    expect(keysAsked()).toBe(3);
  });

  it("notices an overwritten source all the same", async () => {
    const { account } = openAccount();
    const landing = newLandingName();
    await account.createLanding(landing);
    const url = await account.uploadUrl(landing, { expiresOn: inMinutes(60) });
    const etag = (await wire.putBlob(url)).headers.get("etag") ?? "";
    await wire.putBlob(url);
    const to = newLocation();
    await account.ensureDay(to.day);
    expect(await account.startCopy({ landing, etag, to })).toEqual({ status: "sourceChanged" });
  });

  it("issues URLs for HTTPS only, bound to its key and to one blob", async () => {
    const { account } = openAccount();
    const landing = newLandingName();
    for (const url of [
      await account.uploadUrl(landing, { expiresOn: inMinutes(240) }),
      await account.readUrl(newLocation(), { ...download, expiresOn: inMinutes(15) }),
    ]) {
      const query = new URL(url).searchParams;
      expect(query.get("spr")).toBe("https");
      expect(query.get("sr")).toBe("b");
      expect(query.has("skoid")).toBe(true);
      expect(Date.parse(query.get("ske") ?? "")).toBeGreaterThan(Date.parse(query.get("se") ?? ""));
    }
  });
});

describe("the URL of a drop box", () => {
  it("reads, writes and lists in one container for 72 hours, with a key that lives as long", async () => {
    const { account, keysAsked } = openAccount();
    const name = `box-20261123-${randomUUID()}`;
    await account.ensureBox(name);
    await account.ensureBox(name);
    await account.uploadUrl(newLandingName(), { expiresOn: inMinutes(240) });
    const url = await account.boxUrl(name, inMinutes(72 * 60));
    const query = new URL(url).searchParams;
    expect([query.get("sr"), query.get("sp"), query.get("spr")]).toEqual(["c", "rwl", "https"]);
    expect(Date.parse(query.get("ske") ?? "")).toBeGreaterThan(Date.parse(query.get("se") ?? ""));

    const box = new ContainerClient(url);
    await box.getBlockBlobClient("folder/logs.zip").upload("logs", 4);
    expect(await box.getBlobClient("folder/logs.zip").downloadToBuffer()).toEqual(Buffer.from("logs"));
    const listed = [];
    for await (const file of account.filesIn(name)) listed.push(file);
    expect(listed).toMatchObject([{ path: "folder/logs.zip", sizeBytes: 4, readable: true }]);
    const to = newLocation();
    await account.ensureDay(to.day);
    const [file] = listed;
    const copy = await account.copyFile({ container: name, path: file?.path ?? "", etag: file?.etag ?? "", to });
    expect(copy).toMatchObject({ status: "success", sizeBytes: 4 });
    await expect(box.getBlobClient("folder/logs.zip").delete()).rejects.toMatchObject({ statusCode: 403 });

    // A key of 73 hours signs the URLs of boxes alone: one for those, one for uploads, one for the source of copies.
    await account.uploadUrl(newLandingName(), { expiresOn: inMinutes(240) });
    expect(keysAsked()).toBe(3);
    await account.deleteLanding(name);
    for await (const file of account.filesIn(name)) expect(file).toBeUndefined();
  });

  it("is not signed for longer", async () => {
    const { account } = openAccount();
    await expect(account.boxUrl(`box-20261123-${randomUUID()}`, inMinutes(72 * 60 + 1))).rejects.toThrow(RangeError);
  });
});

describe("the user-delegation key", () => {
  const askForUrl = (account: BundleAccount, from: Date = new Date()) =>
    account.uploadUrl(newLandingName(), { expiresOn: new Date(from.getTime() + 3_600_000) });

  it("is asked for once, also by callers at the same moment", async () => {
    const { account, keysAsked } = openAccount();
    await Promise.all(Array.from({ length: 10 }, () => askForUrl(account)));
    await askForUrl(account);
    expect(keysAsked()).toBe(1);
  });

  const kinds: readonly [
    kind: string,
    minutes: number,
    url: (account: BundleAccount, until: Date) => Promise<string>,
  ][] = [
    ["uploads", 240, (account, expiresOn) => account.uploadUrl(newLandingName(), { expiresOn })],
    ["reads", 15, (account, expiresOn) => account.readUrl(newLocation(), { ...download, expiresOn })],
    ["drop boxes", 72 * 60, (account, expiresOn) => account.boxUrl(`box-20261123-${randomUUID()}`, expiresOn)],
  ];

  it.each(kinds)("for %s ends an hour after the longest of its URLs", async (_kind, minutes, url) => {
    const { account } = openAccount();
    const query = new URL(await url(account, inMinutes(minutes))).searchParams;
    const beyond = Date.parse(query.get("ske") ?? "") - Date.parse(query.get("se") ?? "");
    expect(Math.abs(beyond - 3_600_000)).toBeLessThan(60_000);
  });

  it.each(kinds)(
    "for %s is replaced a quarter of an hour before a URL could outlive it",
    async (_kind, minutes, url) => {
      let minutesLater = 0;
      const now = () => inMinutes(minutesLater);
      const { account, keysAsked } = openAccount({ now });
      const longest = () => url(account, new Date(now().getTime() + minutes * 60_000));
      await longest();
      minutesLater = 44;
      await longest();
      expect(keysAsked()).toBe(1);
      minutesLater = 46;
      const query = new URL(await longest()).searchParams;
      expect(keysAsked()).toBe(2);
      expect(Date.parse(query.get("ske") ?? "")).toBeGreaterThan(Date.parse(query.get("se") ?? ""));
    },
  );

  it("is asked for again after it could not be had", async () => {
    let working = false;
    const failing: TokenCredential = {
      getToken: async (...options) => {
        if (!working) throw Object.assign(new Error("no identity here"), { name: "CredentialUnavailableError" });
        return identity.getToken(...options);
      },
    };
    const { account } = openAccount({ credential: failing });
    await expect(askForUrl(account)).rejects.toMatchObject({ code: "ServiceUnavailable" });
    working = true;
    expect(await askForUrl(account)).toContain("skoid=");
  });

  it("signs what it outlives while the next one cannot be had, and nothing else", async () => {
    let [minutesLater, down] = [0, false];
    const now = () => inMinutes(minutesLater);
    const { account, keysAsked } = openAccount({ now, keysFail: () => down });
    const forUpload = (hours = 4) =>
      account.uploadUrl(newLandingName(), { expiresOn: new Date(now().getTime() + hours * 3_600_000) });
    await forUpload();
    [minutesLater, down] = [50, true];
    expect(await forUpload()).toContain("skoid=");
    minutesLater = 70;
    const [long, short] = await Promise.allSettled([forUpload(), forUpload(3)]);
    expect(long).toMatchObject({ status: "rejected", reason: { code: "ServiceUnavailable" } });
    expect(short.status).toBe("fulfilled");
    down = false;
    const before = keysAsked();
    await Promise.all([forUpload(), forUpload(), forUpload()]);
    expect(keysAsked()).toBe(before + 1);
  });

  it.each([-4, 4])("signs URLs that work though our clock is %i minutes off", async (minutes) => {
    const { account } = openAccount({ now: () => inMinutes(minutes) });
    const landing = newLandingName();
    await account.createLanding(landing);
    const url = await account.uploadUrl(landing, { expiresOn: inMinutes(60) });
    expect((await wire.putBlob(url)).status).toBe(201);
    const { searchParams } = new URL(url);
    for (const start of ["st", "skt"]) {
      expect(Date.parse(searchParams.get(start) ?? "")).toBeLessThan(Date.now());
    }
  });

  it("and its value stay out of every URL", async () => {
    const { account } = openAccount();
    expect([...new URL(await askForUrl(account)).searchParams.keys()].toSorted()).toEqual(
      ["se", "sig", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "st", "sv"].toSorted(),
    );
  });

  it("of an identity that storage refuses is an outage of ours, not a fault of the caller", async () => {
    const refused: TokenCredential = {
      getToken: async () => ({ token: "not.a.token", expiresOnTimestamp: inMinutes(60).getTime() }),
    };
    const { account } = openAccount({ credential: refused });
    await expect(askForUrl(account)).rejects.toMatchObject({ code: "ServiceUnavailable" });
    await expect(account.landed(newLandingName())).rejects.toMatchObject({ code: "ServiceUnavailable" });
  });
});
