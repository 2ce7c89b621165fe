import { createHash, randomUUID } from "node:crypto";
import { TableClient } from "@azure/data-tables";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { bundleShape } from "../../support/system/shapes.ts";
import { accepted, blobsIn } from "../operations/support/bundles.ts";
import { type Stage, type StageOptions, useStages } from "../operations/support/stage.ts";

/** What ends grants besides closing, unassigning, revoking and time; and deletion by closed cases. */

const stages = useStages();

async function lent(options: StageOptions = {}) {
  const stage = stages(options);
  const stamp = await stage.registeredStamp();
  const { bundleId, bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
  return { stage, stamp, bundleId, bundle, supportCase, grantId };
}

const ended = z.object({ state: z.string(), ended: z.object({ reason: z.string() }).optional() });

async function grantOf({ supportCase, grantId }: Awaited<ReturnType<typeof lent>>) {
  return ended.parse((await supportCase.engineer.call("GET", `${supportCase.path}/accessGrants/${grantId}`)).json);
}

const endedEvents = async (stage: Stage, partition: string) =>
  (await stage.events(partition)).filter(({ type }) => type === "grant.ended").map(({ data }) => data.reason);

describe("[invariant 5] a grant ends", () => {
  test("with the disabling of its stamp, and enabling revives it not", async () => {
    const of = await lent();
    const { stage, stamp, supportCase, grantId, bundle } = of;
    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
    expect(await grantOf(of)).toMatchObject({ state: "ended", ended: { reason: "stampDisabled" } });
    expectStatus(await registrar.call("POST", `${stamp.path}:enable`), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    expect(await endedEvents(stage, supportCase.partition)).toEqual(["stampDisabled"]);
    const again = await supportCase.grant([bundle]);
    expectStatus(await supportCase.issueUrl(again.grantId, bundle), 200);
  });

  test("with the compromise of its stamp, whose bundles are lent to nobody from then on", async () => {
    const { stage, stamp, supportCase, bundle } = await lent();
    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "compromised" }), 200);
    const path = `${supportCase.path}/accessGrants/${crypto.randomUUID()}`;
    expectRefusal(
      await supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle])),
      403,
      "StampDisabled",
    );
  });

  test("with the compromise of a stamp that was lost before, and neither its bundles nor files of them are lent", async () => {
    const of = await lent();
    const { stage, stamp, bundle, supportCase } = of;
    const registrar = await stage.person("R");
    const disable = (reason: string) => registrar.call("POST", `${stamp.path}:disable`, { reason });
    expectStatus(await disable("lost"), 200);
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
    expectStatus(await disable("compromised"), 200);

    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    expect(await grantOf({ ...of, grantId })).toMatchObject({ state: "ended", ended: { reason: "stampDisabled" } });
    const extraction = await supportCase.engineer.call("POST", `${supportCase.linkPath(bundle)}/files:extract`, {
      path: "any.log",
      grantId,
    });
    expectRefusal(extraction, 403, "GrantNotActive");
    const path = `${supportCase.path}/accessGrants/${crypto.randomUUID()}`;
    const anew = () => supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle]));
    expectRefusal(await anew(), 403, "StampDisabled");
    expectRefusal(
      await supportCase.engineer.call("GET", `${supportCase.linkPath(bundle)}/files`),
      403,
      "GrantNotActive",
    );

    // The reason is told again: nothing ends twice.
    const told = await stage.events(stamp.partition);
    expectStatus(await disable("compromised"), 200);
    expect(await stage.events(stamp.partition)).toEqual(told);
    expectStatus(await stamp.register(), 200);
    expectStatus(await registrar.call("POST", `${stamp.path}:enable`), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
  });

  test("with the erasure of the last of its bundles", async () => {
    const of = await lent();
    const { stage, stamp, supportCase, grantId, bundle, bundleId } = of;
    const wish = { decidedBy: "Maria", reason: "It holds a name." };
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, wish), 202);
    expect(await grantOf(of)).toMatchObject({ state: "ended", ended: { reason: "bundleErased" } });
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "PurgeDue");
    expect(await endedEvents(stage, supportCase.partition)).toEqual(["bundleErased"]);
  });
});

describe("[invariant 3] deletion by closed cases", () => {
  const settings = { PURGE_AFTER_CASE_CLOSE_DAYS: "5" };
  const dueOf = async ({ stamp, bundleId }: Awaited<ReturnType<typeof lent>>) =>
    bundleShape.parse(await stamp.bundle(bundleId));

  test("is due so many days after the last case closed, shows it, and reopening takes it back", async () => {
    const of = await lent({ settings });
    const byAge = (await dueOf(of)).purgeOn;
    const closedOn = z.object({ closedOn: z.string() }).parse(await of.supportCase.close()).closedOn;
    const due = new Date(Date.parse(closedOn) + 5 * 86_400_000).toISOString();
    expect((await dueOf(of)).purgeOn).toBe(due);
    const certificate = await of.stamp.call("GET", `${of.stamp.bundlePath(of.bundleId)}/deletionCertificate`);
    expectRefusal(certificate, 409, "NotYetDeleted");
    expect(certificate.text).toContain(due);
    await of.supportCase.reopen();
    expect((await dueOf(of)).purgeOn).toBe(byAge);
  });

  test("waits for every case of the bundle", async () => {
    const of = await lent({ settings });
    const other = await of.stage.openCase({ stampIds: [of.stamp.stampId] });
    expectStatus(await other.link(of.bundle), 201);
    const byAge = (await dueOf(of)).purgeOn;
    await of.supportCase.close();
    expect((await dueOf(of)).purgeOn).toBe(byAge);
    await other.close();
    expect(Date.parse((await dueOf(of)).purgeOn)).toBeLessThan(Date.parse(byAge));
  });

  test("deletes the bytes then, and says why", async () => {
    const of = await lent({ settings });
    await of.supportCase.close();
    const early = of.stage.another({ settings, offsetDays: 4 });
    await early.app.timers.purgeDue();
    expect((await dueOf(of)).state).toBe("accepted");
    const late = of.stage.another({ settings, offsetDays: 6 });
    await late.app.timers.purgeDue();
    expect(await dueOf(of)).toMatchObject({ state: "purged", purge: { basis: "caseClosed" } });
    expect(await blobsIn(of.stage)).toEqual([]);
  });

  test("costs as much for each bundle, however many the case has", async () => {
    const callsForEach = async (bundles: number): Promise<number> => {
      const stage = stages({ settings });
      // Each of a stamp of its own, so that no two wait for one partition.
      const stamps = await Promise.all(Array.from({ length: bundles }, () => stage.registeredStamp()));
      const supportCase = await stage.openCase({ stampIds: stamps.map(({ stampId }) => stampId) });
      for (const stamp of stamps) expectStatus(await supportCase.link((await accepted(stage, stamp)).bundle), 201);
      await supportCase.close();
      const late = stage.another({ settings, offsetDays: 6 });
      const { calls } = await late.faults.watching(() => late.app.timers.purgeDue());
      expect(await blobsIn(stage)).toEqual([]);
      return calls.length / bundles;
    };
    const ofTwo = await callsForEach(2);
    expect(await callsForEach(6)).toBeLessThanOrEqual(ofTwo);
  });

  test("does not happen where it is not set", async () => {
    const of = await lent();
    const byAge = (await dueOf(of)).purgeOn;
    await of.supportCase.close();
    expect((await dueOf(of)).purgeOn).toBe(byAge);
  });
});

describe("[invariant 9] people", () => {
  test("are forgotten on request: names and texts go, and the chain still verifies", async () => {
    const { stage, supportCase, grantId, stamp } = await lent();
    const activated = (await stage.events(supportCase.partition)).find(({ type }) => type === "grant.activated");
    const subject = z.string().parse(activated?.data.grantee);
    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `/people/${subject}:forget`), 204);
    const grantPath = `${supportCase.path}/accessGrants/${grantId}`;
    const shown = z
      .looseObject({ grantee: z.string() })
      .parse((await (await stage.person("A")).call("GET", grantPath)).json);
    expect(shown.grantee).toBe(subject);
    expect(shown).not.toHaveProperty("justification");
    expect((await stage.events("service")).map(({ type }) => type)).toContain("person.forgotten");
    expectRefusal(await supportCase.engineer.call("GET", supportCase.path), 404, "NotFound");
    expect((await stage.events(stamp.partition)).length).toBeGreaterThan(0);
  });

  test("are forgotten once: asked again it is the same success, with no second event; who never was is 404", async () => {
    const { stage, supportCase } = await lent();
    const activated = (await stage.events(supportCase.partition)).find(({ type }) => type === "grant.activated");
    const registrar = await stage.person("R");
    const forget = () => registrar.call("POST", `/people/${String(activated?.data.grantee)}:forget`);
    expectStatus(await forget(), 204);
    const told = await stage.events("service");
    expectStatus(await forget(), 204);
    expect(await stage.events("service")).toEqual(told);
    expectRefusal(await registrar.call("POST", `/people/${randomUUID()}:forget`), 404, "NotFound");
  });

  test("who were not met for METADATA_RETENTION_DAYS are forgotten by themselves", async () => {
    const stage = stages({ settings: { METADATA_RETENTION_DAYS: "90" } });
    const stamp = await stage.registeredStamp();
    await stamp.enableConsent({ decidedBy: "Maria Jansen" });
    const seen = async () =>
      z
        .object({ decidedBy: z.string().optional() })
        .parse((await stamp.call("GET", `${stamp.path}/consents/proactiveCollection`)).json).decidedBy;
    const settings = { METADATA_RETENTION_DAYS: "90" };
    await stage.another({ settings, offsetDays: 60 }).app.timers.forgetOld();
    expect(await seen()).toBe("Maria Jansen");
    await stage.another({ settings, offsetDays: 130 }).app.timers.forgetOld();
    expect(await seen()).toBeUndefined();
  });
});

/** Every row of the directory of people, as it stands in its table. */
async function directoryOf({ connectionString }: Stage): Promise<string> {
  const client = TableClient.fromConnectionString(connectionString, "people", { allowInsecureConnection: true });
  const rows: unknown[] = [];
  for await (const row of client.listEntities()) rows.push(row);
  return JSON.stringify(rows);
}

describe("[invariant 9] whoever is forgotten", () => {
  const nameOf = () => `Maria ${randomUUID()}`;
  const operator = (identity: string) => ({ scope: `operator:${randomUUID()}`, identity }) as const;
  const forgotten = async (stage: Stage, subject: string) =>
    expectStatus(await (await stage.person("R")).call("POST", `/people/${subject}:forget`), 204);

  test("has left no name behind, also where several met them for the first time at once", async () => {
    const stage = stages();
    const who = operator(nameOf());
    const instances = Array.from({ length: 6 }, () => stage.another().app.world.people);
    const subjects = new Set(await Promise.all(instances.map((people) => people.subjectOf(who))));
    expect(subjects.size).toBe(1);
    for (const subject of subjects) await forgotten(stage, subject);
    expect(await directoryOf(stage)).not.toContain(who.identity);
  });

  test("has left no digest behind that a name could be tried against", async () => {
    const stage = stages();
    const who = operator(nameOf());
    const subject = await stage.app.world.people.subjectOf(who);
    const digest = createHash("sha256").update(`${who.scope}\n${who.identity}`).digest("hex");
    expect(await directoryOf(stage)).toContain(digest);
    await forgotten(stage, subject);
    expect(await directoryOf(stage)).not.toContain(digest);
  });

  test("is somebody new, also where they are met while they are being forgotten", async () => {
    const stage = stages();
    const who = operator(nameOf());
    const subject = await stage.app.world.people.subjectOf(who);
    const nextMonth = stage.another({ offsetDays: 40 });
    const meeting = nextMonth.faults.holdNext(({ method }) => method !== "GET");
    const met = nextMonth.app.world.people.subjectOf(who);
    await meeting.reached;
    await forgotten(stage, subject);
    meeting.letGo();
    await met;
    const after = await stage.another({ offsetDays: 40 }).app.world.people.subjectOf(who);
    expect(after).not.toBe(subject);
    expect(await stage.app.world.people.whois(after)).toEqual(who);
  });

  test("is forgotten in the end, also where that died after its event and nobody asks again", async () => {
    const { stage, supportCase, grantId } = await lent();
    const who = { scope: "entra", identity: supportCase.engineer.oid } as const;
    const subject = await stage.app.world.people.subjectOf(who);
    const registrar = await stage.person("R");
    stage.faults.failWhere(({ method }) => method === "DELETE");
    expectRefusal(await registrar.call("POST", `/people/${subject}:forget`), 503, "ServiceUnavailable");
    stage.faults.failWhere(undefined);
    expect((await stage.events("service")).map(({ type }) => type)).toContain("person.forgotten");
    await stage.another({ offsetDays: 0.02 }).runTimer("sweepUnfinished");
    expect(await directoryOf(stage)).not.toContain(who.identity);
    const grant = await (await stage.person("A")).call("GET", `${supportCase.path}/accessGrants/${grantId}`);
    expect(grant.json).not.toHaveProperty("justification");
  });

  test("has left no text behind that they were writing just then", async () => {
    const { stage, supportCase, bundle } = await lent();
    const { people } = stage.app.world;
    const subject = await people.subjectOf({ scope: "entra", identity: supportCase.engineer.oid });
    const justification = `To see ${randomUUID()}`;
    const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
    const writing = stage.faults.holdNext(({ method, url }) => method === "POST" && url.includes("$batch"));
    const written = supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle], { justification }));
    await writing.reached;
    await forgotten(stage.another(), subject);
    writing.letGo();
    expectStatus(await written, 201);
    const seen = async () => (await (await stage.person("A")).call("GET", path)).text;
    expect(await seen()).toContain(justification);
    await stage.another({ offsetDays: 0.02 }).runTimer("sweepUnfinished");
    expect(await seen()).not.toContain(justification);
    for await (const place of people.notes(subject)) throw new Error(`A text is remembered: ${place.noteId}`);
  });
});

describe("every access", () => {
  test("is told newest first before and after it is folded, once, and within a period", async () => {
    const { stage, supportCase, grantId, bundle } = await lent();
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
    const auditor = await stage.person("A");
    const page = z.object({ value: z.array(z.object({ on: z.string(), accessor: z.string() })) });
    const list = async (query: Record<string, string> = {}) =>
      page.parse((await auditor.call("GET", "/compliance/accesses", undefined, { query })).json).value;
    const fresh = await list();
    expect(fresh).toHaveLength(2);
    expect(fresh.map(({ on }) => on)).toEqual(
      fresh
        .map(({ on }) => on)
        .sort()
        .reverse(),
    );
    expect(fresh[0]?.accessor).toBe(supportCase.engineer.oid);
    await stage.app.timers.foldLedger();
    expect(await list()).toEqual(fresh);
    expect(await list({ from: fresh[0]?.on ?? "" })).toEqual(fresh.slice(0, 1));
    expect(await list({ to: fresh[1]?.on ?? "" })).toEqual(fresh.slice(1));
  });
});
