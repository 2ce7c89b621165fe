import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { approve, denial, deny, pendingRequests, setApproval } from "../support/system/approvals.ts";
import type { CaseActor } from "../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { accessRequestPage, type Bundle, grantShape, stampGrantPage } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { startStamp } from "../support/system/stampCommand.ts";
import { getBlob } from "../support/system/storage.ts";
import { openWorld, type Person, readAll, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";

/** A stamp whose operator wants to approve each access: what the operator, the engineer and the auditor see, and what is refused. */

let world: World;
let auditor: Person;
let stamp: StampActor;
let bundle: Bundle;
let bytes: Buffer;
beforeAll(async () => {
  world = await openWorld();
  [auditor, stamp] = await Promise.all([world.person("A"), world.registeredStamp()]);
  ({ bundle, bytes } = await stamp.acceptedBundle());
});
afterAll(() => world.close());

async function readyCase(): Promise<CaseActor> {
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  return supportCase;
}
const seen = async ({ path, engineer }: CaseActor, grantId: string) =>
  grantShape.parse(expectStatus(await engineer.call("GET", `${path}/accessGrants/${grantId}`), 200).json);
const extract = (supportCase: CaseActor) =>
  supportCase.engineer.call("POST", `${supportCase.linkPath(bundle)}/files:extract`, { path: "any.log" });

describe("a stamp's approval of access", () => {
  it("is not required until its operator says so, and says who decided", async () => {
    const fresh = await world.registeredStamp();
    const path = `${fresh.path}/accessApproval`;
    expect(await fresh.view()).toMatchObject({ accessApproval: "notRequired" });
    expect(expectStatus(await fresh.call("GET", path), 200).json).toEqual({ mode: "notRequired" });

    const set = expectStatus(await setApproval(fresh, "required"), 200);
    expect(set.json).toMatchObject({ mode: "required", decidedBy: "operator@contoso.example" });
    expect(expectStatus(await auditor.call("GET", path), 200).json).toEqual(set.json);
    expect(expectStatus(await setApproval(fresh, "required"), 200).json).toEqual(set.json);
    expect(await fresh.view()).toMatchObject({ accessApproval: "required" });
    const stale = await fresh.call(
      "PUT",
      path,
      { mode: "notRequired", decidedBy: "another" },
      { headers: { "if-match": '"0"' } },
    );
    expectRefusal(stale, 412, "ConditionNotMet");
    expectStatus(await setApproval(fresh, "notRequired"), 200);
    expectStatus(await fresh.register({ displayName: "Contoso, another lab" }), 200);

    const events = (await world.events(fresh.partition)).filter(({ type }) => type === "stamp.accessApprovalSet");
    expect(events.map(({ data, actor }) => [data.mode, actor.kind])).toEqual([
      ["required", "stamp"],
      ["notRequired", "stamp"],
    ]);
    expect(JSON.stringify(events)).not.toContain("contoso");
  });

  it("stays through a new registration", async () => {
    const fresh = await world.registeredStamp();
    expectStatus(await setApproval(fresh, "required"), 200);
    expectStatus(await fresh.register({ displayName: "Contoso, another lab" }), 200);
    expect(await fresh.view()).toMatchObject({ accessApproval: "required" });
  });

  it.each([
    ["an unknown mode", { mode: "sometimes", decidedBy: "operator" }, "/mode"],
    ["nobody who decided", { mode: "required" }, "/decidedBy"],
  ])("is not set by %s", async (_, body, target) => {
    const answer = await stamp.call("PUT", `${stamp.path}/accessApproval`, body);
    expect(expectRefusal(answer, 400, "InvalidBody").target).toBe(target);
  });
});

describe("a grant on the bundle of a stamp that requires approval", () => {
  beforeAll(async () => void expectStatus(await setApproval(stamp, "required"), 200));

  it("[invariant 5] waits, lends nothing, and reads after the operator approved", async () => {
    const supportCase = await readyCase();
    const grant = await supportCase.grant([bundle], { durationMinutes: 480 });
    expect(grant).toMatchObject({ state: "pendingApproval", approval: { stampIds: [stamp.stampId] } });
    for (const refused of [await supportCase.issueUrl(grant.grantId, bundle), await extract(supportCase)]) {
      const { details } = expectRefusal(refused, 403, "GrantNotActive");
      expect(details).toMatchObject([{ code: "pendingApproval" }]);
    }

    const waiting = (await pendingRequests(stamp)).find(({ grantId }) => grantId === grant.grantId);
    expect(waiting).toMatchObject({
      caseNumber: supportCase.caseNumber,
      purpose: "troubleshooting",
      justification: "The update failed and the customer waits.",
      bundles: [{ stampId: stamp.stampId, bundleId: bundle.bundleId }],
      durationMinutes: 480,
      requestedOn: grant.startsOn,
      lapsesOn: grant.expiresOn,
      state: "pending",
    });
    expect(waiting?.engineer).not.toBe(supportCase.engineer.oid);
    const shownToAuditor = await readAll(auditor.call, `${stamp.path}/accessRequests`);
    expect(accessRequestPage.parse({ value: shownToAuditor }).value).toContainEqual({
      ...waiting,
      engineer: supportCase.engineer.oid,
    });

    const approved = expectStatus(await approve(stamp, grant.grantId), 200).json;
    expect(approved).toMatchObject({ state: "approved", decidedBy: "operator@contoso.example" });
    expect(expectStatus(await approve(stamp, grant.grantId), 200).json).toEqual(approved);
    const active = await seen(supportCase, grant.grantId);
    expect(active.state).toBe("active");
    expect(Date.parse(active.expiresOn) - Date.parse(active.startsOn)).toBe(8 * 3_600_000);
    const read = await getBlob(await supportCase.url(grant.grantId, bundle));
    expect(sha256Hex(read.body)).toBe(sha256Hex(bytes));
    expect((await pendingRequests(stamp)).map(({ grantId }) => grantId)).not.toContain(grant.grantId);

    const grants = stampGrantPage.parse({ value: await readAll(stamp.call, `${stamp.path}/accessGrants`) }).value;
    expect(grants.find(({ grantId }) => grantId === grant.grantId)).toMatchObject({
      state: "active",
      approval: { stampIds: [stamp.stampId] },
    });
    const types = (await world.events(supportCase.partition)).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(["grant.requested", "grant.activated", "url.issued"]);
  });

  it("[invariant 5] ends when the operator denies it, and that is final", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expect(expectStatus(await deny(stamp, grantId), 200).json).toMatchObject({ state: "denied" });
    expectStatus(await deny(stamp, grantId), 200);
    expect((await seen(supportCase, grantId)).ended).toMatchObject({ reason: "denied", message: denial.reason });
    const refusal = expectRefusal(await approve(stamp, grantId), 409, "InvalidState");
    expect(refusal.details).toMatchObject([{ code: "denied" }]);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    const again = await supportCase.grant([bundle]);
    expect(again.state).toBe("pendingApproval");
  });

  it("[invariant 5] lends nothing more once the operator takes the approval back", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await approve(stamp, grantId), 200);
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
    expectStatus(await deny(stamp, grantId), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    expect((await seen(supportCase, grantId)).ended?.reason).toBe("denied");
  });

  it("[invariant 5] was approved for one case: its id in another case is GrantConflict", async () => {
    const [supportCase, other] = [await readyCase(), await readyCase()];
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await approve(stamp, grantId), 200);
    const path = `${other.path}/accessGrants/${grantId}`;
    const body = other.grantRequest([bundle], { durationMinutes: 480 });
    expectRefusal(await other.engineer.call("PUT", path, body), 409, "GrantConflict");
    expectRefusal(await other.issueUrl(grantId, bundle), 404, "NotFound");
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
  });

  it("is another stamp's to answer never, and one that nobody asked for is NotFound", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    const stranger = await world.registeredStamp();
    expectRefusal(await approve(stranger, grantId), 404, "NotFound");
    expectRefusal(await deny(stranger, crypto.randomUUID()), 404, "NotFound");
    const noReason = await stamp.call("POST", `${stamp.path}/accessRequests/${grantId}:deny`, { decidedBy: "me" });
    expect(expectRefusal(noReason, 400, "InvalidBody").target).toBe("/reason");
    expect((await seen(supportCase, grantId)).state).toBe("pendingApproval");
  });

  it("that was given before goes on, and one that waits still does after approval is switched off", async () => {
    const own = await world.registeredStamp();
    const { bundle: lent } = await own.acceptedBundle();
    const supportCase = await world.openCase({ stampIds: [own.stampId] });
    expectStatus(await supportCase.link(lent), 201);
    const before = await supportCase.grant([lent]);
    expectStatus(await setApproval(own, "required"), 200);
    expectStatus(await supportCase.issueUrl(before.grantId, lent), 200);
    const waiting = await supportCase.grant([lent]);
    expectStatus(await setApproval(own, "notRequired"), 200);
    expect((await seen(supportCase, waiting.grantId)).state).toBe("pendingApproval");
    expect((await supportCase.grant([lent])).state).toBe("active");
    expectStatus(await approve(own, waiting.grantId), 200);
    expectStatus(await supportCase.issueUrl(waiting.grantId, lent), 200);
  });

  it("is the same when asked for again while it waits", async () => {
    const supportCase = await readyCase();
    const grant = await supportCase.grant([bundle]);
    const path = `${supportCase.path}/accessGrants/${grant.grantId}`;
    const again = await supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle]));
    expect(expectStatus(again, 200).json).toEqual(grant);
    const asked = (await world.events(stamp.partition)).filter(
      ({ type, data }) => type === "access.requested" && data.grantId === grant.grantId,
    );
    expect(asked).toHaveLength(1);
  });
});

describe("the operator's command line", () => {
  it("shows who asks and why, approves and denies", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stamp-approval-"));
    try {
      const token = (await world.person("R")).token;
      const run = (...words: string[]) =>
        startStamp({ local: join(folder, "local"), folder, origin: world.origin, token }, words).ended;
      const registered = await run("register", "--json");
      const { stampId } = z.looseObject({ stampId: z.string() }).parse(JSON.parse(registered.stdout));
      expect((await run("approval", "status")).stdout).toContain("without asking you first");
      expect((await run("approval", "required", "--as", "Jo Operator")).stdout).toContain("only after you approved");
      expect((await run("requests")).stdout).toContain("Nobody waits");

      await writeFile(join(folder, "logs.zip"), await makeZip());
      const sent = await run("send", "logs.zip", "--json", "--quiet");
      const { bundleId } = z.looseObject({ bundleId: z.string() }).parse(JSON.parse(sent.stdout));
      const supportCase = await world.openCase({ stampIds: [stampId] });
      expectStatus(await supportCase.link({ stampId, bundleId }), 201);
      const { grantId } = await supportCase.grant([{ stampId, bundleId }]);
      const asked = await run("requests");
      for (const told of [grantId, bundleId, supportCase.caseNumber, "customer waits", "60 minutes"]) {
        expect(asked.stdout).toContain(told);
      }
      expect((await run("approve", grantId, "--as", "Jo Operator")).stdout).toContain("Approved");
      expectStatus(await supportCase.issueUrl(grantId, { stampId, bundleId }), 200);
      expect((await run("deny", grantId, "--reason", "No more")).stdout).toContain("within 15 minutes");
      expectRefusal(await supportCase.issueUrl(grantId, { stampId, bundleId }), 403, "GrantNotActive");
      const late = await run("approve", grantId);
      expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("InvalidState") });
      expect((await run("approve", "none")).code).toBe(2);
      expect((await run("approval", "notRequired")).stdout).toContain("To be asked");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
