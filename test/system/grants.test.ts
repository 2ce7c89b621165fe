import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseActor } from "../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import {
  accessPage,
  type Bundle,
  grantPage,
  grantShape,
  issuedUrlShape,
  stampGrantPage,
} from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { getBlob, storageCall } from "../support/system/storage.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type Person, readAll, type World } from "../support/system/world.ts";
import { sha256Hex } from "../support/system/zip.ts";

/** API.md, the rows of grants, and every refusal of invariant 5: who may read which bundle, why, and for how long. */

let world: World;
let system: Person;
let auditor: Person;
let stamp: StampActor;
let bundle: Bundle;
let bytes: Buffer;
beforeAll(async () => {
  world = await openWorld();
  [system, auditor, stamp] = await Promise.all([world.person("C"), world.person("A"), world.registeredStamp()]);
  ({ bundle, bytes } = await stamp.acceptedBundle({ fileName: "AzureStackLogs-20240927104305-SAC14-ERCS01.zip" }));
});
afterAll(() => world.close());

type Fields = Readonly<Record<string, unknown>>;

/** A case with the stamp, two engineers, and the bundle linked. */
async function readyCase(fields: Fields = {}): Promise<CaseActor & { readonly colleague: Person }> {
  const engineers = [await world.engineer(), await world.engineer()] as const;
  const supportCase = await world.openCase({ stampIds: [stamp.stampId], engineers, fields });
  expectStatus(await supportCase.link(bundle), 201);
  return { ...supportCase, colleague: engineers[1] };
}

const put = (supportCase: CaseActor, changes: Fields = {}, grantId: string = randomUUID(), by = supportCase.engineer) =>
  by.call("PUT", `${supportCase.path}/accessGrants/${grantId}`, supportCase.grantRequest([bundle], changes));
const seen = async ({ path }: CaseActor, grantId: string, by = system) =>
  grantShape.parse(expectStatus(await by.call("GET", `${path}/accessGrants/${grantId}`), 200).json);
const revoke = ({ path }: CaseActor, grantId: string, by: Person) =>
  by.call("POST", `${path}/accessGrants/${grantId}:revoke`);

describe("a grant", () => {
  it("is active from the moment it is asked for, and says until when", async () => {
    const supportCase = await readyCase();
    const grantId = randomUUID();
    const grant = grantShape.parse(expectStatus(await put(supportCase, { durationMinutes: 15 }, grantId), 201).json);
    const { caseNumber, engineer } = supportCase;
    expect(grant).toMatchObject({
      grantId,
      caseNumber,
      grantee: engineer.oid,
      state: "active",
      purpose: "troubleshooting",
      justification: "The update failed and the customer waits.",
      bundles: [{ stampId: stamp.stampId, bundleId: bundle.bundleId }],
    });
    expect(Date.parse(grant.expiresOn) - Date.parse(grant.startsOn)).toBe(15 * 60_000);
    expect(grant).not.toHaveProperty("ended");
    for (const by of [engineer, supportCase.colleague, system, auditor]) {
      expect(await seen(supportCase, grantId, by)).toEqual(grant);
      const listed = await readAll(by.call, `${supportCase.path}/accessGrants`);
      expect(grantPage.parse({ value: listed }).value).toEqual([grant]);
    }
    const events = await world.events(supportCase.partition);
    expect(events.at(-1)).toMatchObject({
      type: "grant.activated",
      actor: { kind: "person" },
      data: { caseNumber, grantId, purpose: "troubleshooting" },
    });
    expect(JSON.stringify(events)).not.toMatch(new RegExp(`customer waits|${engineer.oid}`));
  });

  it("is the same when asked for again, and another under its id is GrantConflict", async () => {
    const supportCase = await readyCase();
    const grantId = randomUUID();
    const first = expectStatus(await put(supportCase, {}, grantId), 201).json;
    await unchanged(world, supportCase, async () => {
      expect(expectStatus(await put(supportCase, {}, grantId), 200).json).toEqual(first);
      expect(expectStatus(await put(supportCase, {}, grantId.toUpperCase()), 200).json).toEqual(first);
      for (const changes of [{ durationMinutes: 61 }, { purpose: "productHealth" }, { justification: "Another" }]) {
        expectRefusal(await put(supportCase, changes, grantId), 409, "GrantConflict");
      }
      return expectStatus(await put(supportCase, {}, grantId), 200);
    });
    expectRefusal(await put(supportCase, {}, grantId, supportCase.colleague), 409, "GrantConflict");
  });

  it.each([
    ["14 minutes", { durationMinutes: 14 }, "/durationMinutes"],
    ["481 minutes", { durationMinutes: 481 }, "/durationMinutes"],
    ["minutes as text", { durationMinutes: "60" }, "/durationMinutes"],
    ["no bundle", { bundles: [] }, "/bundles"],
    ["no justification", { justification: undefined }, "/justification"],
    ["an empty justification", { justification: "" }, "/justification"],
    ["marketing", { purpose: "marketing" }, "/purpose"],
    ["an unknown field", { approvedBy: "me" }, "/approvedBy"],
  ])("is not given for %s", async (_, changes, target) => {
    const supportCase = await readyCase();
    const grantId = randomUUID();
    expect(expectRefusal(await put(supportCase, changes, grantId), 400, "InvalidBody").target).toBe(target);
    expectRefusal(await system.call("GET", `${supportCase.path}/accessGrants/${grantId}`), 404, "NotFound");
  });

  it("is an assigned engineer's alone", async () => {
    const supportCase = await readyCase();
    await unchanged(world, supportCase, async () => {
      for (const role of ["R", "C", "A"] as const) {
        expectRefusal(await put(supportCase, {}, randomUUID(), await world.person(role)), 403, "RoleMissing");
      }
      return (
        expectRefusal(await put(supportCase, {}, randomUUID(), await world.engineer()), 404, "NotFound") && undefined
      );
    });
  });

  it("[invariant 5] checks what issuing a URL checks", async () => {
    const supportCase = await readyCase();
    const unlinked = await stamp.acceptedBundle();
    const stranger = await (await world.registeredStamp()).createBundle();
    const created = await stamp.createBundle();
    expectStatus(await supportCase.link(created), 201);
    const bundles = (of: Bundle) => ({ bundles: [{ stampId: of.stampId, bundleId: of.bundleId }] });
    await unchanged(world, supportCase, async () => {
      expectRefusal(await put(supportCase, bundles(stranger)), 409, "StampNotOnCase");
      expectRefusal(await put(supportCase, bundles(unlinked.bundle)), 409, "BundleNotLinked");
      expectRefusal(await put(supportCase, bundles({ ...bundle, bundleId: randomUUID() })), 409, "BundleNotLinked");
      expectRefusal(await put(supportCase, bundles(created)), 409, "BundleNotAccepted");
      const both = [...bundles(bundle).bundles, ...bundles(created).bundles];
      return expectRefusal(await put(supportCase, { bundles: both }), 409, "BundleNotAccepted") && undefined;
    });
    await supportCase.close();
    expectRefusal(await put(supportCase), 403, "CaseNotOpen");
  });

  it("[invariant 5] is for a purpose that the bundle's consent includes", async () => {
    const narrow = await world.registeredStamp();
    const consent = { decidedBy: "operator", decidedOn: world.on(), termsVersion: await world.currentTerms() };
    const only = (purpose: string) => narrow.acceptedBundle({ consent: { ...consent, purposes: [purpose] } });
    const supportCase = await world.openCase({ stampIds: [narrow.stampId] });
    for (const purpose of ["troubleshooting", "productHealth"]) {
      const { bundle: narrowBundle } = await only(purpose);
      expectStatus(await supportCase.link(narrowBundle), 201);
      const other = purpose === "troubleshooting" ? "productHealth" : "troubleshooting";
      expectRefusal(
        await put(supportCase, {
          bundles: [{ stampId: narrow.stampId, bundleId: narrowBundle.bundleId }],
          purpose: other,
        }),
        403,
        "PurposeNotConsented",
      );
      const { grantId } = await supportCase.grant([narrowBundle], { purpose });
      expectStatus(await supportCase.issueUrl(grantId, narrowBundle), 200);
    }
  });
});

describe("an issued URL", () => {
  it("[invariant 5] [invariant 6] reads what the stamp sent, as a file, for at most 15 minutes, and does nothing else", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    const before = Date.now();
    const issued = issuedUrlShape.parse(expectStatus(await supportCase.issueUrl(grantId, bundle), 200).json);
    expect(Date.parse(issued.expiresOn) - before).toBeGreaterThan(13 * 60_000);
    expect(Date.parse(issued.expiresOn) - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    const signed = new URL(issued.url).searchParams;
    expect(signed.get("sp")).toBe("r");
    expect(Date.parse(signed.get("se") ?? "")).toBeLessThanOrEqual(Date.parse(issued.expiresOn) + 1000);

    const read = expectStatus(await getBlob(issued.url), 200);
    expect(sha256Hex(read.body)).toBe(bundle.sha256);
    expect(read.body.equals(bytes)).toBe(true);
    const savedAs = `${stamp.stampId}-${bundle.bundleId}.zip`;
    expect(read.headers["content-disposition"]).toBe(`attachment; filename="${savedAs}"`);
    expect(read.headers["content-type"]).toBe("application/octet-stream");

    const write = await storageCall(issued.url, "PUT", { headers: { "x-ms-blob-type": "BlockBlob" }, body: "other" });
    expect([401, 403]).toContain(write.status);
    expect([401, 403]).toContain((await storageCall(issued.url, "DELETE")).status);
    const other = await stamp.acceptedBundle();
    const elsewhere = issued.url.replace(bundle.bundleId, other.bundleId);
    expect(elsewhere).not.toBe(issued.url);
    expect([401, 403]).toContain((await getBlob(elsewhere)).status);
    expect((await getBlob(issued.url)).body.equals(bytes)).toBe(true);
  });

  it("saves a bundle under its ids, whatever its stamp called it", async () => {
    const odd = await stamp.acceptedBundle({ fileName: "Incident report \u202efdp.docm" });
    const supportCase = await readyCase();
    expectStatus(await supportCase.link(odd.bundle), 201);
    const { grantId } = await supportCase.grant([odd.bundle]);
    const read = await getBlob(await supportCase.url(grantId, odd.bundle));
    const savedAs = `${stamp.stampId}-${odd.bundle.bundleId}.zip`;
    expect(read.headers["content-disposition"]).toBe(`attachment; filename="${savedAs}"`);
    expect(read.body.equals(odd.bytes)).toBe(true);
  });

  it("[invariant 1] [invariant 5] is in the ledger before it leaves: of the case, and of the stamp", async () => {
    const supportCase = await readyCase();
    const { caseNumber, engineer } = supportCase;
    const { grantId } = await supportCase.grant([bundle], { purpose: "productHealth" });
    await supportCase.url(grantId, bundle);
    const subject = { caseNumber, grantId, stampId: stamp.stampId, bundleId: bundle.bundleId };
    const ofCase = await world.events(supportCase.partition);
    const ofStamp = await world.events(stamp.partition);
    expect(ofCase.at(-1)).toMatchObject({ type: "url.issued", actor: { kind: "person" }, data: subject });
    expect(ofStamp.filter(({ type, data }) => type === "bundle.accessed" && data.grantId === grantId)).toMatchObject([
      { actor: { kind: "person" }, data: { ...subject, purpose: "productHealth" } },
    ]);
    expect(JSON.stringify([ofCase, ofStamp])).not.toMatch(new RegExp(`sig=|${engineer.oid}`));
  });

  it("shows in the stamp's accesses: a pseudonym to the stamp, the object id to the auditor", async () => {
    const supportCase = await readyCase();
    const again = await readyCase();
    const lender = await world.registeredStamp();
    const lent = await lender.acceptedBundle();
    for (const each of [supportCase, again]) {
      expectStatus(
        await each.put({ stampIds: [stamp.stampId, lender.stampId], assignees: [supportCase.engineer.oid] }),
        200,
      );
      expectStatus(await each.link(lent.bundle, supportCase.engineer), 201);
      const { grantId } = await each.grant([lent.bundle], {}, supportCase.engineer);
      await each.url(grantId, lent.bundle, supportCase.engineer);
    }
    const accesses = async (call: Person["call"]) =>
      accessPage.parse({ value: await readAll(call, `${lender.path}/accesses`) }).value;
    const [ofStamp, ofAuditor] = [await accesses((...call) => lender.call(...call)), await accesses(auditor.call)];
    expect(ofAuditor.map((access) => access.caseNumber)).toEqual([again.caseNumber, supportCase.caseNumber]);
    expect(ofAuditor.map((access) => access.accessor)).toEqual([supportCase.engineer.oid, supportCase.engineer.oid]);
    expect(new Set(ofStamp.map((access) => access.accessor)).size).toBe(1);
    expect(JSON.stringify(ofStamp)).not.toContain(supportCase.engineer.oid);
    expect(ofStamp[0]).toMatchObject({ purpose: "troubleshooting", bundleId: lent.bundleId, stampId: lender.stampId });
    expectRefusal(await supportCase.engineer.call("GET", `${lender.path}/accesses`), 403, "RoleMissing");
  });

  it("names its engineer by another pseudonym to each stamp", async () => {
    const lenders = [await world.registeredStamp(), await world.registeredStamp()];
    const bundles = await Promise.all(lenders.map(async (each) => (await each.acceptedBundle()).bundle));
    const supportCase = await world.openCase({ stampIds: lenders.map(({ stampId }) => stampId) });
    for (const each of bundles) expectStatus(await supportCase.link(each), 201);
    const { grantId } = await supportCase.grant(bundles);
    for (const each of bundles) await supportCase.url(grantId, each);
    const names = await Promise.all(
      lenders.map(async ({ call, path }) => {
        const [access] = accessPage.parse({ value: await readAll(call, `${path}/accesses`) }).value;
        const [grant] = stampGrantPage.parse({ value: await readAll(call, `${path}/accessGrants`) }).value;
        expect(grant?.grantee).toBe(access?.accessor);
        return access?.accessor;
      }),
    );
    expect(new Set(names).size).toBe(2);
    const ledger = JSON.stringify(await world.events(supportCase.partition));
    for (const name of names) expect(ledger).not.toContain(name);
  });

  it("shows in the stamp's grants, used or not: its own bundles, who under a pseudonym, until when and why no longer", async () => {
    const lender = await world.registeredStamp();
    const { bundle: lent } = await lender.acceptedBundle();
    const stampIds = [stamp.stampId, lender.stampId];
    const [one, other] = [await world.openCase({ stampIds }), await world.openCase({ stampIds })];
    for (const each of [one, other]) for (const linked of [lent, bundle]) expectStatus(await each.link(linked), 201);
    const [used, unused] = [await one.grant([lent, bundle]), await one.grant([lent])];
    await one.grant([bundle]);
    await one.url(used.grantId, lent);
    const closed = await other.grant([lent]);
    await other.close();

    const grants = async (call: Person["call"], query: Readonly<Record<string, string>> = {}) =>
      stampGrantPage.parse({ value: await readAll(call, `${lender.path}/accessGrants`, query) }).value;
    const ofStamp = await grants((...call) => lender.call(...call));
    const byId = new Map(ofStamp.map((each) => [each.grantId, each]));
    expect([...byId.keys()].sort()).toEqual([used, unused, closed].map(({ grantId }) => grantId).sort());
    expect(byId.get(used.grantId)).toMatchObject({
      caseNumber: one.caseNumber,
      purpose: "troubleshooting",
      state: "active",
      bundles: [{ stampId: lender.stampId, bundleId: lent.bundleId }],
      startsOn: used.startsOn,
      expiresOn: used.expiresOn,
    });
    expect(byId.get(closed.grantId)).toMatchObject({ state: "ended", ended: { reason: "caseClosed" } });
    const told = JSON.stringify(ofStamp);
    for (const hidden of [one.engineer.oid, "customer waits", stamp.stampId]) expect(told).not.toContain(hidden);
    const [access] = accessPage.parse({ value: await readAll(lender.call, `${lender.path}/accesses`) }).value;
    expect(byId.get(used.grantId)?.grantee).toBe(access?.accessor);

    const ofAuditor = await grants(auditor.call, { top: "1" });
    expect(ofAuditor.map(({ grantId }) => grantId)).toEqual(ofStamp.map(({ grantId }) => grantId));
    expect(ofAuditor.find(({ grantId }) => grantId === used.grantId)?.grantee).toBe(one.engineer.oid);
    const forged = Buffer.from(`${one.caseNumber}#nothing`).toString("base64url");
    expect(await grants(lender.call, { skipToken: forged })).toEqual(
      ofStamp.filter((each) => each.caseNumber >= one.caseNumber),
    );
    expectRefusal(await one.engineer.call("GET", `${lender.path}/accessGrants`), 403, "RoleMissing");
    const stranger = (await world.registeredStamp()).call;
    expectRefusal(await stranger("GET", `${lender.path}/accessGrants`), 401, "KeyUnknown");
  });
});

describe("[invariant 5] no URL is issued", () => {
  it("for a case or a grant that is not there, or to whom the case is not known", async () => {
    const supportCase = await readyCase();
    const elsewhere = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expectRefusal(await supportCase.issueUrl(randomUUID(), bundle), 404, "NotFound");
    expectRefusal(await elsewhere.issueUrl(grantId, bundle), 404, "NotFound");
    expectRefusal(await supportCase.issueUrl(grantId, bundle, await world.engineer()), 404, "NotFound");
  });

  it("to anybody but the grantee", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expectRefusal(await supportCase.issueUrl(grantId, bundle, supportCase.colleague), 403, "NotTheGrantee");
    for (const role of ["R", "C", "A"] as const) {
      expectRefusal(await supportCase.issueUrl(grantId, bundle, await world.person(role)), 403, "RoleMissing");
    }
  });

  it("under a grant that was revoked, by its grantee or the case system, and by nobody else", async () => {
    for (const by of ["engineer", "system"] as const) {
      const supportCase = await readyCase();
      const { grantId } = await supportCase.grant([bundle]);
      expectRefusal(await revoke(supportCase, grantId, supportCase.colleague), 403, "NotTheGrantee");
      expectRefusal(await revoke(supportCase, grantId, auditor), 403, "RoleMissing");
      expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
      const revoker = by === "engineer" ? supportCase.engineer : system;
      const revoked = grantShape.parse(expectStatus(await revoke(supportCase, grantId, revoker), 200).json);
      expect(revoked).toMatchObject({ state: "ended", ended: { reason: "revoked" } });
      expect(expectStatus(await revoke(supportCase, grantId, revoker), 200).json).toEqual(revoked);
      expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
      const ends = (await world.events(supportCase.partition)).filter((event) => event.type === "grant.ended");
      expect(ends).toHaveLength(1);
      expect(expectStatus(await put(supportCase, {}, grantId), 200).json).toEqual(revoked);
    }
  });

  it("once the case is closed between grant and URL; reopening it revives no grant", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    await supportCase.close();
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    expect(await seen(supportCase, grantId)).toMatchObject({ state: "ended", ended: { reason: "caseClosed" } });
    await supportCase.reopen();
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    const anew = await supportCase.grant([bundle]);
    expectStatus(await supportCase.issueUrl(anew.grantId, bundle), 200);
    const ends = (await world.events(supportCase.partition)).filter((event) => event.type === "grant.ended");
    expect(ends.map((event) => event.data.grantId)).toEqual([grantId]);
  });

  it("to whom the case was taken from, also when they are assigned again", async () => {
    const supportCase = await readyCase();
    const { engineer, colleague } = supportCase;
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await supportCase.put({ assignees: [colleague.oid] }), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 404, "NotFound");
    expect(await seen(supportCase, grantId)).toMatchObject({ state: "ended", ended: { reason: "unassigned" } });
    expectStatus(await supportCase.put({ assignees: [colleague.oid, engineer.oid] }), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    const anew = await supportCase.grant([bundle]);
    expectStatus(await supportCase.issueUrl(anew.grantId, bundle), 200);
  });

  it("for a stamp that was taken off the case", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await supportCase.put({ stampIds: [] }), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 409, "StampNotOnCase");
    expectStatus(await supportCase.put({ stampIds: [stamp.stampId] }), 200);
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
  });

  it("for a bundle that was unlinked, or that the grant does not hold", async () => {
    const supportCase = await readyCase();
    const other = await stamp.acceptedBundle();
    expectStatus(await supportCase.link(other.bundle), 201);
    const { grantId } = await supportCase.grant([bundle]);
    expectRefusal(await supportCase.issueUrl(grantId, other.bundle), 409, "BundleNotLinked");
    expectRefusal(await supportCase.issueUrl(grantId, { ...bundle, bundleId: randomUUID() }), 409, "BundleNotLinked");
    expectStatus(await supportCase.unlink(bundle), 204);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 409, "BundleNotLinked");
  });

  it("for a bundle whose erasure was asked for; taking that back revives no grant, and a new one can be given", async () => {
    const lender = await world.registeredStamp();
    const lent = await lender.acceptedBundle();
    const supportCase = await world.openCase({ stampIds: [lender.stampId] });
    expectStatus(await supportCase.link(lent.bundle), 201);
    const { grantId } = await supportCase.grant([lent.bundle]);
    const said = { decidedBy: "operator", reason: "Wrong window" };
    expectStatus(await lender.call("POST", `${lender.bundlePath(lent.bundleId)}:erase`, said), 202);
    expectRefusal(await supportCase.issueUrl(grantId, lent.bundle), 403, "PurgeDue");
    const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
    const again = () => supportCase.engineer.call("PUT", path, supportCase.grantRequest([lent.bundle]));
    expectRefusal(await again(), 403, "PurgeDue");
    expectStatus(await lender.call("POST", `${lender.bundlePath(lent.bundleId)}:cancelErase`, said), 200);
    expectRefusal(await supportCase.issueUrl(grantId, lent.bundle), 403, "GrantNotActive");
    const anew = grantShape.parse(expectStatus(await again(), 201).json);
    expectStatus(await supportCase.issueUrl(anew.grantId, lent.bundle), 200);
  });

  it("without both ids in the body, and nothing else", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    const path = `${supportCase.path}/accessGrants/${grantId}:issueUrl`;
    for (const body of [{ bundleId: bundle.bundleId }, { stampId: stamp.stampId, bundleId: "x" }, []]) {
      expectRefusal(await supportCase.engineer.call("POST", path, body), 400, "InvalidBody");
    }
  });

  it("for which the refusal comes in the contract's order", async () => {
    const supportCase = await readyCase();
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await supportCase.unlink(bundle), 204);
    expectStatus(await supportCase.put({ stampIds: [] }), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 409, "StampNotOnCase");
    expectStatus(await supportCase.put({ state: "closed" }), 200);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
    expectRefusal(await supportCase.issueUrl(grantId, bundle, supportCase.colleague), 403, "NotTheGrantee");
    expectRefusal(await supportCase.issueUrl(randomUUID(), bundle, supportCase.colleague), 404, "NotFound");
  });
});

describe("time", () => {
  it("[invariant 5] ends a grant, and at purgeOn every lending", async () => {
    const supportCase = await readyCase();
    const short = await supportCase.grant([bundle], { durationMinutes: 15 });
    const long = await supportCase.grant([bundle], { durationMinutes: 60 });
    await world.restart({ CLOCK_OFFSET_DAYS: String(20 / 1440) });
    expectRefusal(await supportCase.issueUrl(short.grantId, bundle), 403, "GrantNotActive");
    expect(await seen(supportCase, short.grantId)).toMatchObject({
      state: "ended",
      ended: { reason: "expired", on: short.expiresOn },
    });
    expectStatus(await supportCase.issueUrl(long.grantId, bundle), 200);
    await world.runTimer("sweepUnfinished");
    const ends = (await world.events(supportCase.partition)).filter((event) => event.type === "grant.ended");
    expect(ends.map((event) => event.data.grantId)).toEqual([short.grantId]);

    const untilPurge = (Date.parse(bundle.purgeOn) - Date.now()) / 86_400_000;
    await world.restart({ CLOCK_OFFSET_DAYS: String(untilPurge - 0.01) });
    const last = await supportCase.grant([bundle]);
    const issued = issuedUrlShape.parse((await supportCase.issueUrl(last.grantId, bundle)).json);
    expect(Date.parse(issued.expiresOn) - Date.now()).toBeLessThan(15 * 60_000);
    // Without the purge, which comes every ten minutes by the real clock: what is due is lent no more, whether it is gone or not.
    await world.restart({
      CLOCK_OFFSET_DAYS: String(untilPurge + 0.001),
      "AzureWebJobs.purgeDue.Disabled": "true",
    });
    expectRefusal(await supportCase.issueUrl(last.grantId, bundle), 403, "PurgeDue");
    expectRefusal(await put(supportCase), 403, "PurgeDue");
    expect((await stamp.bundle(bundle.bundleId)).state).toBe("accepted");
  });
});
