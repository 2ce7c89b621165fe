import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BundleAccount } from "../../../../shared/storage/blobs/account.ts";
import { inMinutes, newDay, newLandingName, newLocation, openTestAccount } from "./support/account.ts";
import { type StandIn, silentServer } from "./support/proxy.ts";

const day = newDay();
const at = newLocation(day);
const landing = newLandingName();
const version = { etag: '"0x1"', sizeBytes: 10 };

/** No process is given a port below 1,024 by chance, as it might be one that was free a moment ago. */
const nobodys = 1;

const calls: Record<string, (account: BundleAccount) => Promise<unknown>> = {
  createLanding: (account) => account.createLanding(landing),
  landed: (account) => account.landed(landing),
  stagedBlocks: (account) => account.stagedBlocks(landing),
  deleteLanding: (account) => account.deleteLanding(landing),
  ensureDay: (account) => account.ensureDay(day),
  listDays: (account) => account.listDays(),
  deleteDay: (account) => account.deleteDay(day),
  startCopy: (account) => account.startCopy({ landing, etag: version.etag, to: at }),
  copyState: (account) => account.copyState(at),
  readAndHash: (account) => account.readAndHash(at, version),
  deleteBundle: (account) => account.deleteBundle(at),
};

describe("[invariant 7] while storage is out", () => {
  it.each(Object.entries(calls))("%s is unavailable, and gives no verdict", async (_, call) => {
    const { account, calls: tries } = openTestAccount({ port: nobodys });
    await expect(call(account)).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfterSeconds: 5 });
    expect(tries.length).toBeGreaterThan(1);
  });

  it("URLs are signed all the same, for the key is ours", async () => {
    const { account } = openTestAccount({ port: nobodys });
    expect(await account.uploadUrl(landing, { expiresOn: inMinutes(10) })).toContain("sig=");
  });
});

describe("while storage takes calls and stays silent", () => {
  let silent: StandIn;
  beforeAll(async () => {
    silent = await silentServer();
  });
  afterAll(() => silent[Symbol.asyncDispose]());

  it("a call is unavailable after one time limit, without further tries", async () => {
    const { account, calls: tries } = openTestAccount({ port: silent.port });
    await expect(account.landed(landing)).rejects.toMatchObject({ code: "ServiceUnavailable" });
    expect(tries).toHaveLength(1);
  });
});
