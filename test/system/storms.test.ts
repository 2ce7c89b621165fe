import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { startStamp } from "../support/system/stampCommand.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** Limits on rates, the version gate and the preflight of a service with both on, over HTTP and by the command line. */

let world: World;
beforeAll(async () => {
  world = await openWorld({
    RATE_LIMITS: "on",
    STAMP_MAX_OPEN_UPLOADS: "2",
    MIN_STAMP_VERSION: "1.2008.0.0",
    MIN_CLIENT_VERSION: "0.1.0",
  });
});
afterAll(() => world.close());

/** The command line of the stamp that is kept in `local`. */
const stampIn = (local: string, words: readonly string[]) =>
  startStamp({ local, folder: world.service.directory, origin: world.origin }, words).ended;
const stamp = (...words: string[]) => stampIn(world.service.directory, words);

const preflight = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({ name: z.string(), status: z.string(), message: z.string(), remedy: z.string().optional() }),
  ),
});
const checked = (...words: string[]) => checkedIn(world.service.directory, words);
const checkedIn = async (local: string, words: readonly string[] = []) => {
  const { code, stdout } = await stampIn(local, ["check", "--json", ...words]);
  const { ok, checks } = preflight.parse(JSON.parse(stdout));
  return { code, ok, checks, statusOf: (name: string) => checks.find((each) => each.name === name)?.status };
};

describe("over HTTP", () => {
  it("an upload too many is 429 with the rule's name, the time to come back, and room once one is canceled", async () => {
    const actor = await world.registeredStamp();
    const create = async () => actor.call("PUT", actor.bundlePath(randomUUID()), await actor.bundleRequest());
    const first = await actor.createBundle();
    expectStatus(await create(), 201);
    const refused = await create();
    expectRefusal(refused, 429, "TooManyRequests");
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.json).toMatchObject({ error: { details: [{ code: "openUploads" }] } });
    expectStatus(await actor.call("POST", `${actor.bundlePath(first.bundleId)}:cancel`), 200);
    expectStatus(await create(), 201);
  });

  it("logs of a stamp version that is too old are 403, and so is an old client; another client is not asked", async () => {
    const actor = await world.registeredStamp();
    const create = async (changes: Readonly<Record<string, unknown>>, userAgent: string) =>
      actor.call("PUT", actor.bundlePath(randomUUID()), await actor.bundleRequest(changes), {
        headers: { "user-agent": userAgent },
      });
    expectRefusal(await create({ stampVersion: "1.1910.0.58" }, "curl/8.5.0"), 403, "StampVersionTooOld");
    expectRefusal(await create({}, "stamp-intake-client/0.0.9"), 403, "ClientVersionTooOld");
    expectStatus(await create({}, "stamp-intake-client/0.1.0"), 201);
    expectStatus(await create({}, "curl/8.5.0"), 201);
  });
});

describe("by the command line", () => {
  it("each road's state is told, from no stamp at all to a bundle that would be taken", async () => {
    const nobody = join(world.service.directory, "nobody");
    const unregistered = await stampIn(nobody, ["options"]);
    expect(unregistered.code).toBe(0);
    expect(unregistered.stdout).toContain("privileged endpoint: available, recommended");
    expect(unregistered.stdout).toContain('Get-AzureStackLog -OutputSasUri "<URL from support>"');
    expect(await checkedIn(nobody)).toMatchObject({ code: 1, ok: false });

    expect(await stamp("register")).toMatchObject({ code: 0, stderr: "" });
    const { code, ok, checks } = await checked("--size", "2000000000");
    expect({ code, ok, failing: checks.filter(({ status }) => status !== "ok") }).toEqual({
      code: 0,
      ok: true,
      failing: [],
    });
    expect(checks.map(({ name }) => name)).toEqual([
      "proxy",
      "line",
      "clock",
      "key",
      "registration",
      "consent",
      "stampVersion",
      "clientVersion",
      "trigger",
      "size",
      "rates",
      "storage",
    ]);
    expect((await stamp("options")).stdout).toContain("send logs now: available, recommended");
  });

  it("a preflight that fails says what to do: no consent, no room, no line", async () => {
    await stamp("register");
    const noConsent = await checked("--fault", "Urp.UpdateFailure");
    expect(noConsent).toMatchObject({ code: 1, ok: false });
    expect(noConsent.checks.find(({ name }) => name === "consent")).toMatchObject({
      status: "failed",
      remedy: "npm run stamp -- consent enable",
    });
    await stamp("consent", "enable");
    expect(await checked("--fault", "Urp.UpdateFailure")).toMatchObject({ code: 0, ok: true });

    const noLine = await checked("--origin", "http://127.0.0.1:9");
    expect([noLine.code, noLine.statusOf("line"), noLine.statusOf("storage")]).toEqual([4, "failed", "skipped"]);
    const notTheService = await checked("--origin", await blobOrigin());
    expect([notTheService.code, notTheService.statusOf("line")]).toEqual([4, "failed"]);

    const offline = await stamp("options", "--json", "--origin", "http://127.0.0.1:9");
    expect(offline.code).toBe(0);
    expect(JSON.parse(offline.stdout)).toMatchObject({
      registered: true,
      connected: false,
      proactive: { available: false },
      saveLocally: { available: true, recommended: true },
    });
  });

  it("the same fault again is refused at once, not waited for; what an operator sends goes on; the history tells all of it", async () => {
    await stamp("register");
    await stamp("consent", "enable");
    const folder = world.service.directory;
    await writeFile(join(folder, "logs.zip"), await makeZip());
    await writeFile(join(folder, "no.zip"), "This is no zip.");
    const fault = `Storm.${randomUUID()}`;
    expect((await stamp("trigger", fault, "logs.zip")).code).toBe(0);
    const again = await stamp("trigger", fault, "logs.zip");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("Refused by the rule sameFault.");
    expect((await checked("--fault", fault)).statusOf("rates")).toBe("failed");
    const sent = await stamp("send", "logs.zip", "--json", "--quiet");
    expect(sent.code).toBe(0);
    expect((await stamp("send", "no.zip")).code).toBe(3);

    const { bundleId, stampId } = z.object({ bundleId: z.guid(), stampId: z.guid() }).parse(JSON.parse(sent.stdout));
    const supportCase = await world.openCase({ stampIds: [stampId] });
    expectStatus(await supportCase.link({ stampId, bundleId }), 201);
    const { grantId } = await supportCase.grant([{ stampId, bundleId }]);
    await supportCase.url(grantId, { stampId, bundleId });

    const rows = await until("the access and the deletion show", async () => {
      const listed = historyShape.parse(JSON.parse((await stamp("history", "--json")).stdout));
      const isDone = listed.some(({ accesses }) => accesses.count === 1) && listed.every(isDeletedIfRejected);
      return isDone ? listed : undefined;
    });
    expect(rows.find((row) => row.bundleId === bundleId)).toMatchObject({
      state: "accepted",
      verification: { attempts: 1 },
      accesses: { count: 1, lastOn: expect.stringMatching(/Z$/) },
    });
    const told = (await stamp("history")).stdout;
    expect(told).toMatch(
      /time collected +status +logs start +logs end +type +size +tries +kept until +accesses +bundle/,
    );
    expect(told).toMatch(/rejected .* manual +15 bytes +1 +deleted \d{4}-\d{2}-\d{2} +0 /);
    expect(told).toContain("(NotAZip)");
    expect(told).toMatch(new RegExp(`accepted .* 1, last \\d{4}-\\d{2}-\\d{2} +${bundleId}`));
  });
});

const historyShape = z.array(
  z.looseObject({
    bundleId: z.guid(),
    state: z.string(),
    purge: z.looseObject({ deletedOn: z.string().optional() }).optional(),
    accesses: z.object({ count: z.int(), lastOn: z.string().optional() }),
  }),
);
/** The verdict shows a moment before its bytes are gone. */
const isDeletedIfRejected = ({ state, purge }: z.infer<typeof historyShape>[number]) =>
  state !== "rejected" || purge?.deletedOn !== undefined;

/** Where something answers that is not the service: its storage. */
async function blobOrigin(): Promise<string> {
  const { upload } = await (await world.registeredStamp()).createBundle();
  return new URL(upload?.url ?? "").origin;
}
