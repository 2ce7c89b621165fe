import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { verifiedPaper } from "../support/system/papers.ts";
import { startService } from "../support/system/service.ts";
import { blobsHeld, getBlob } from "../support/system/storage.ts";
import { openWorld, type Role, roleNames, tokenByCommand, type World } from "../support/system/world.ts";

/** API.md, On one machine: `npm start`, its folder, its clock, its timers and its tokens. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

it("a bundle goes from a stamp to an engineer", async () => {
  const stamp = await world.registeredStamp();
  const { bundle, bytes } = await stamp.acceptedBundle();
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const read = await getBlob(await supportCase.url(grantId, bundle));
  expect(read.body.equals(bytes)).toBe(true);
});

it("prints the origin, where keys and tokens are, and the next command to try", () => {
  const output = world.service.output();
  expect(output).toContain(world.origin);
  expect(output).toMatch(/npm run --silent token/);
  expect(output).toMatch(/npm run \w+/);
});

describe("the token command", () => {
  const roles: readonly Role[] = ["R", "C", "E", "A"];
  it.each(roles)("prints a token of role %s, by letter and by name, that the service takes", async (role) => {
    for (const name of [role, roleNames[role]]) {
      const oid = randomUUID();
      const token = await tokenByCommand(world.service.directory, [name], oid);
      expect(decodeJwt(token)).toMatchObject({ oid, roles: [roleNames[role]] });
      const headers = { authorization: `Bearer ${token}` };
      const answer = await world.anonymous("GET", "/compliance/events", undefined, { headers });
      if (role === "A") expectStatus(answer, 200);
      else expectRefusal(answer, 403, "RoleMissing");
    }
  });

  it("prints a token of two roles, which is refused", async () => {
    const token = await tokenByCommand(world.service.directory, ["R", "A"], randomUUID());
    const answer = await world.anonymous("GET", "/stamps", undefined, {
      headers: { authorization: `Bearer ${token}` },
    });
    expectRefusal(answer, 403, "ConflictingRoles");
  });

  it("prints one that another service does not take", async () => {
    const other = await startService();
    try {
      const token = await tokenByCommand(other.directory, ["A"], randomUUID());
      const answer = await world.anonymous("GET", "/stamps", undefined, {
        headers: { authorization: `Bearer ${token}` },
      });
      expectRefusal(answer, 401, "TokenInvalid");
    } finally {
      await other.close();
    }
  });

  it("fails without a role, or with one that is none", async () => {
    await expect(tokenByCommand(world.service.directory, [], randomUUID())).rejects.toThrow(/role/);
    await expect(tokenByCommand(world.service.directory, ["X"], randomUUID())).rejects.toThrow(/role/);
    await expect(tokenByCommand(world.service.directory, ["R"], "nobody")).rejects.toThrow(/GUID/);
  });
});

describe("timers by hand", () => {
  const post = (path: string, body = "{}") =>
    world.send({ method: "POST", path, headers: { "content-type": "application/json" }, body });

  it("are listed", async () => {
    const answer = expectStatus(await world.send({ method: "GET", path: "/admin/functions" }), 200);
    for (const name of ["purgeDue", "sweepUnfinished", "sealCheckpoint"]) expect(answer.json).toContainEqual({ name });
  });

  it.each(["purgeDue", "sweepUnfinished", "sealCheckpoint"])("run %s without a credential, and twice", async (name) => {
    for (let count = 0; count < 2; count++) expectStatus(await post(`/admin/functions/${name}`), 202);
  });

  it("of an unknown name are a 404", async () => {
    expectStatus(await post("/admin/functions/nothing"), 404);
  });
});

it("writes no secret and no personal data to its log", async () => {
  const own = await openWorld();
  try {
    const stamp = await own.registeredStamp({ registration: { displayName: "Secret name" } });
    await stamp.enableConsent({ decidedBy: "Secret operator" });
    const { bundle } = await stamp.acceptedBundle({ fileName: "Secret.zip" });
    const rejected = await stamp.submittedBundle({ fileName: "Secret.zip" }, Buffer.from("Secret content"));
    await stamp.waitFor(rejected.bundleId, "rejected");
    const supportCase = await own.openCase({ stampIds: [stamp.stampId], fields: { title: "Secret title" } });
    await supportCase.link(bundle);
    const { grantId } = await supportCase.grant([bundle], { justification: "Secret reason" });
    const url = await supportCase.url(grantId, bundle);
    const { token } = supportCase.engineer;
    for (const authorization of [`Bearer ${token.slice(0, -2)}`, `Bearer ${token}`, "Secret"]) {
      await own.anonymous("GET", "/stamps", undefined, { headers: { authorization } });
    }
    await stamp.call("PUT", stamp.bundlePath(bundle.bundleId), await stamp.bundleRequest({ fileName: "Secret:.zip" }));
    await stamp.call("GET", stamp.path, undefined, { signature: { nonce: "Secret" } });
    await own.restart();

    const output = own.service.output();
    expect(output).not.toContain("Secret");
    for (const jwt of output.matchAll(/eyJ[\w-]+/g)) throw new Error(`The log has ${jwt[0]}`);
    expect(output).not.toMatch(/sig=|AccountKey=/);
    expect(output).not.toContain(new URL(url).searchParams.get("sig") ?? "nothing");
  } finally {
    await own.close();
  }
});

describe("CLOCK_OFFSET_DAYS", () => {
  it("moves the clock of retention and consent, and leaves signatures, tokens, URLs and papers in real time", async () => {
    const ahead = await openWorld({ CLOCK_OFFSET_DAYS: "40" });
    try {
      const stamp = await ahead.registeredStamp();
      const days = (time: string) => (Date.parse(time) - Date.now()) / 86_400_000;
      const { decidedOn = "", receipt = "" } = await stamp.enableConsent();
      expect(days(decidedOn)).toBeCloseTo(40, 1);
      await verifiedPaper(ahead, receipt, "consent-receipt+jwt");
      const created = await stamp.createBundle({ mode: "proactive" });
      expect(days(created.createdOn)).toBeCloseTo(40, 1);
      expect(days(created.deleteBy)).toBeCloseTo(130, 1);
      expect(days(created.upload?.expiresOn ?? "")).toBeLessThan(0.2);

      const { bundle, bytes } = await stamp.acceptedBundle();
      const supportCase = await ahead.openCase({ stampIds: [stamp.stampId] });
      await supportCase.link(bundle);
      const { grantId, startsOn } = await supportCase.grant([bundle]);
      expect(days(startsOn)).toBeCloseTo(40, 1);
      expect((await getBlob(await supportCase.url(grantId, bundle))).body.equals(bytes)).toBe(true);
    } finally {
      await ahead.close();
    }
  });
});

describe("a service", () => {
  it("keeps everything over a stop and a start, and over a kill", async () => {
    const own = await openWorld();
    try {
      const stamp = await own.registeredStamp();
      await stamp.enableConsent();
      const { bundleId } = await stamp.acceptedBundle();
      const facts = async () => [await stamp.view(), await stamp.bundle(bundleId), await own.events(stamp.partition)];
      const before = await facts();
      await own.restart();
      expect(await facts()).toEqual(before);
      await own.service.kill();
      await own.restart();
      expect(await facts()).toEqual(before);
      const held = await blobsHeld(own.service.directory);
      // What is derived from it lies beside it.
      expect(held.filter((name) => name.endsWith(bundleId))).toHaveLength(1);
      expect(held.every((name) => name.includes(bundleId))).toBe(true);
    } finally {
      await own.close();
    }
  });

  it("runs beside another of its own, which knows nothing of it", async () => {
    const other = await openWorld();
    try {
      const stamp = await world.registeredStamp();
      const { call } = await other.person("A");
      expectRefusal(await call("GET", stamp.path), 404, "NotFound");
    } finally {
      await other.close();
    }
  });

  it("ends with 0 when it is told to", async () => {
    const own = await startService();
    try {
      expect(await own.stop()).toBe(0);
    } finally {
      await own.close();
    }
  });

  const faults: readonly [string, () => Readonly<Record<string, string>>, RegExp][] = [
    ["the folder of one that runs", () => ({ LOCAL_DIR: world.service.directory }), /LOCAL_DIR/],
    ["a port in use", () => ({ PORT: new URL(world.origin).port }), /PORT/],
    ["a port that is none", () => ({ PORT: "seventy" }), /PORT/],
    ["a purge that is too late", () => ({ PURGE_AFTER_DAYS: "83" }), /PURGE_AFTER_DAYS/],
    ["a purge after day 85", () => ({ PURGE_AFTER_DAYS: "86" }), /PURGE_AFTER_DAYS.*82/],
    ["a purge at once", () => ({ PURGE_AFTER_DAYS: "0" }), /PURGE_AFTER_DAYS.*82/],
    ["a purge before creation", () => ({ PURGE_AFTER_DAYS: "-1" }), /PURGE_AFTER_DAYS.*82/],
    [
      "a purge by closed cases that is too late",
      () => ({ PURGE_AFTER_CASE_CLOSE_DAYS: "83" }),
      /PURGE_AFTER_CASE_CLOSE_DAYS.*82/,
    ],
    ["one that is no number", () => ({ PURGE_AFTER_CASE_CLOSE_DAYS: "soon" }), /PURGE_AFTER_CASE_CLOSE_DAYS.*82/],
    ["an offset that is no number", () => ({ CLOCK_OFFSET_DAYS: "soon" }), /CLOCK_OFFSET_DAYS/],
    ["a delay that is negative", () => ({ ERASE_DELAY_HOURS: "-1" }), /ERASE_DELAY_HOURS/],
    ["a file that is not there", () => ({ STAMP_INTAKE_ARTIFACT: "dist/nothing.cjs" }), /STAMP_INTAKE_ARTIFACT/],
  ];
  it.each(faults)("does not start with %s, and says so in one line", async (_what, environment, names) => {
    const failure = await startService(environment()).catch((error: unknown) => error);
    if (!(failure instanceof Error)) throw new Error("It started.");
    const [, ...lines] = failure.message.trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(names);
    expect(failure.message).toMatch(/ended with [1-9]/);
  });
});
