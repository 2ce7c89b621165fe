import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newCaseNumber } from "../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { bundlePage, bundleShape, type Case, casePage, caseShape, linkShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type Person, queryOf, readAll, type World } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** API.md, the rows of `cases` up to the links: what the case system pushes, who knows of it, what is linked. */

let world: World;
let system: Person;
let auditor: Person;
let stamp: StampActor;
beforeAll(async () => {
  world = await openWorld();
  [system, auditor, stamp] = await Promise.all([world.person("C"), world.person("A"), world.registeredStamp()]);
});
afterAll(() => world.close());

type Fields = Readonly<Record<string, unknown>>;
const body = (changes: Fields = {}): Fields => ({
  revision: 7,
  kind: "support",
  state: "open",
  stampIds: [stamp.stampId],
  assignees: [],
  ...changes,
});
const put = (caseNumber: string, changes: Fields = {}) => system.call("PUT", `/cases/${caseNumber}`, body(changes));
const seen = async (caseNumber: string, by: Person = system): Promise<Case> =>
  caseShape.parse(expectStatus(await by.call("GET", `/cases/${caseNumber}`), 200).json);
const linkedTo = async (path: string, by: Person = system, query: Readonly<Record<string, string>> = {}) =>
  bundlePage.parse({ value: await readAll(by.call, `${path}/bundles`, query) }).value;

describe("a case", () => {
  it("is what the case system last said of it", async () => {
    const caseNumber = newCaseNumber();
    const engineer = await world.engineer();
    const said = { title: "Update fails at step 4", assignees: [engineer.oid] };
    const created = caseShape.parse(expectStatus(await put(caseNumber, said), 201).json);
    expect(created).toMatchObject({ caseNumber, ...body(said) });
    expect(created).not.toHaveProperty("closedOn");
    expect(await seen(caseNumber)).toEqual(created);
    expect(await seen(caseNumber, auditor)).toEqual(created);
    expect(await seen(caseNumber, engineer)).toEqual(created);

    const updated = { ...said, revision: 8, title: "Update fails at step 5", kind: "productHealth" };
    expect(caseShape.parse(expectStatus(await put(caseNumber, updated), 200).json)).toMatchObject(body(updated));
    const events = await world.events(`cases/${caseNumber}`);
    expect(events.map(({ type, actor }) => [type, actor.kind])).toEqual([
      ["case.updated", "service"],
      ["case.updated", "service"],
    ]);
    expect(JSON.stringify(events)).not.toMatch(new RegExp(`Update fails|${engineer.oid}`));
  });

  it("is closed and opened again", async () => {
    const caseNumber = newCaseNumber();
    expectStatus(await put(caseNumber), 201);
    expectStatus(await put(caseNumber, { revision: 8, state: "closed" }), 200);
    const { closedOn } = await seen(caseNumber);
    expect(Math.abs(Date.parse(closedOn ?? "") - Date.now())).toBeLessThan(60_000);
    expectStatus(await put(caseNumber, { revision: 9, state: "closed", title: "Solved" }), 200);
    expect((await seen(caseNumber)).closedOn).toBe(closedOn);
    expectStatus(await put(caseNumber, { revision: 10 }), 200);
    expect(await seen(caseNumber)).not.toHaveProperty("closedOn");
    const types = (await world.events(`cases/${caseNumber}`)).map((event) => event.type);
    expect(types).toEqual(["case.updated", "case.closed", "case.updated", "case.reopened"]);
  });

  it("keeps its revision: an equal body is a repetition, an older or another one is refused", async () => {
    const caseNumber = newCaseNumber();
    expectStatus(await put(caseNumber), 201);
    const subject = { partition: `cases/${caseNumber}`, path: `/cases/${caseNumber}` };
    await unchanged(world, subject, async () => {
      expectStatus(await put(caseNumber), 200);
      expectRefusal(await put(caseNumber, { revision: 6 }), 409, "StaleRevision");
      expectRefusal(await put(caseNumber, { revision: 6, state: "closed" }), 409, "StaleRevision");
      expectRefusal(await put(caseNumber, { state: "closed" }), 409, "StaleRevision");
      expectRefusal(await put(caseNumber, { title: "Other" }), 409, "StaleRevision");
      expectRefusal(await put(caseNumber, { assignees: [randomUUID()] }), 409, "StaleRevision");
      return undefined;
    });
    expect((await seen(caseNumber)).state).toBe("open");
  });

  it("has ids in lower case, whatever was sent", async () => {
    const caseNumber = newCaseNumber();
    const oid = randomUUID();
    const said = { stampIds: [stamp.stampId.toUpperCase()], assignees: [oid.toUpperCase()] };
    expectStatus(await put(caseNumber, said), 201);
    expect(await seen(caseNumber)).toMatchObject({ stampIds: [stamp.stampId], assignees: [oid] });
  });

  it("takes an update only against the version that If-Match names", async () => {
    const caseNumber = newCaseNumber();
    const { etag = "" } = expectStatus(await put(caseNumber), 201).headers;
    expect(etag).toMatch(/^"/);
    const path = `/cases/${caseNumber}`;
    const against = (revision: number, ifMatch: string) =>
      system.call("PUT", path, body({ revision }), { headers: { "if-match": ifMatch } });
    expectRefusal(await against(8, '"other"'), 412, "ConditionNotMet");
    expectStatus(await against(8, etag), 200);
    expectRefusal(await against(9, etag), 412, "ConditionNotMet");
    const nowhere = `/cases/${newCaseNumber()}`;
    const answer = await system.call("PUT", nowhere, body(), { headers: { "if-match": "*" } });
    expectRefusal(answer, 412, "ConditionNotMet");
    expectRefusal(await system.call("GET", nowhere), 404, "NotFound");
  });

  it.each([
    ["an unknown field", { colour: "red" }, "/colour"],
    ["a revision as text", { revision: "7" }, "/revision"],
    ["a revision between integers", { revision: 7.5 }, "/revision"],
    ["an unknown kind", { kind: "billing" }, "/kind"],
    ["an unknown state", { state: "pending" }, "/state"],
    ["a stamp that is no GUID", { stampIds: ["stamp-1"] }, "/stampIds/0"],
    ["201 stamps", { stampIds: Array.from({ length: 201 }, () => randomUUID()) }, "/stampIds"],
    ["an assignee that is no GUID", { assignees: [randomUUID(), "me"] }, "/assignees/1"],
    ["an empty title", { title: "" }, "/title"],
    ["a title with a control character", { title: "a\u0007b" }, "/title"],
    ["a title of 1,025 characters", { title: "t".repeat(1025) }, "/title"],
    ["no state", { state: undefined }, "/state"],
  ])("is not made of %s", async (_, changes, target) => {
    const caseNumber = newCaseNumber();
    expect(expectRefusal(await put(caseNumber, changes), 400, "InvalidBody").target).toBe(target);
    expectRefusal(await system.call("GET", `/cases/${caseNumber}`), 404, "NotFound");
  });

  it.each(["12345678901234", "12345678901234567890", "2211280040006z30", "-211280040006230"])(
    "is not called %s",
    async (caseNumber) => {
      expectRefusal(await put(caseNumber), 400, "InvalidParameter");
      expectRefusal(await system.call("GET", `/cases/${caseNumber}`), 400, "InvalidParameter");
    },
  );

  it.each(["123456789012345", "1234567890123456789"])("may be called %s", async (caseNumber) => {
    expectStatus(await put(caseNumber), 201);
    expect((await seen(caseNumber)).caseNumber).toBe(caseNumber);
  });
});

describe("who knows of a case", () => {
  it("is pushed by the case system alone", async () => {
    const path = `/cases/${newCaseNumber()}`;
    for (const role of ["R", "E", "A"] as const) {
      expectRefusal(await (await world.person(role)).call("PUT", path, body()), 403, "RoleMissing");
    }
    expectRefusal(await world.anonymous("PUT", path, body()), 401, "TokenMissing");
    expectRefusal(await stamp.call("PUT", path, body()), 401, "TokenMissing");
    expectRefusal(await (await world.person("R")).call("GET", path), 403, "RoleMissing");
    expectRefusal(await system.call("GET", path), 404, "NotFound");
  });

  it("does not exist for an engineer who is not assigned, whatever they ask", async () => {
    const { path, engineer } = await world.openCase({ stampIds: [stamp.stampId] });
    const bundle = await stamp.createBundle();
    const stranger = await world.engineer();
    const grant = `${path}/accessGrants/${randomUUID()}`;
    const link = `${path}/stamps/${stamp.stampId}/bundles/${bundle.bundleId}`;
    const request = {
      bundles: [{ stampId: stamp.stampId, bundleId: bundle.bundleId }],
      purpose: "troubleshooting",
      justification: "Curious",
      durationMinutes: 60,
    };
    const asked: [string, string, unknown?][] = [
      ["GET", path],
      ["GET", `${path}/bundles`],
      ["GET", `${path}/accessGrants`],
      ["GET", grant],
      ["PUT", link],
      ["DELETE", link],
      ["PUT", grant, request],
      ["POST", `${grant}:issueUrl`, request.bundles[0]],
      ["POST", `${grant}:revoke`],
    ];
    for (const [method, where, what] of asked) {
      const strangers = expectRefusal(await stranger.call(method, where, what), 404, "NotFound");
      const nowhere = where.replace(path, `/cases/${newCaseNumber()}`);
      expect(strangers).toEqual(expectRefusal(await stranger.call(method, nowhere, what), 404, "NotFound"));
    }
    expectStatus(await engineer.call("GET", path), 200);
    expect(await linkedTo(path)).toEqual([]);
  });

  it("is forgotten to an engineer who was unassigned", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const { engineer, path } = supportCase;
    expectStatus(await engineer.call("GET", path), 200);
    expectStatus(await supportCase.put({ assignees: [] }), 200);
    expectRefusal(await engineer.call("GET", path), 404, "NotFound");
    expect(await readAll(engineer.call, "/cases")).toEqual([]);
  });

  it("stands in the lists: every case for the case system and the auditor, an engineer's own for the engineer", async () => {
    const engineer = await world.engineer();
    const mine = [
      await world.openCase({ engineers: [engineer] }),
      await world.openCase({ engineers: [engineer] }),
      await world.openCase({ engineers: [engineer] }),
    ];
    const other = await world.openCase();
    await mine[1]?.close();
    const numbers = async (by: Person, query = {}) =>
      casePage.parse({ value: await readAll(by.call, "/cases", query) }).value.map((each) => each.caseNumber);
    const own = mine.map((each) => each.caseNumber);
    expect((await numbers(engineer)).toSorted()).toEqual(own.toSorted());
    expect(await numbers(engineer, { state: "closed" })).toEqual([mine[1]?.caseNumber]);
    expect(await numbers(engineer, { state: "open" })).toHaveLength(2);
    for (const by of [system, auditor]) {
      expect(await numbers(by)).toEqual(expect.arrayContaining([...own, other.caseNumber]));
      expect(await numbers(by, { state: "closed" })).not.toContain(other.caseNumber);
    }
    expectRefusal(await system.call("GET", "/cases", undefined, { query: { state: "ajar" } }), 400, "InvalidParameter");
    expectRefusal(await (await world.person("R")).call("GET", "/cases"), 403, "RoleMissing");

    const page = casePage.parse((await engineer.call("GET", "/cases", undefined, { query: { top: "2" } })).json);
    expect(page.value).toHaveLength(2);
    const next = await engineer.call("GET", "/cases", undefined, { query: queryOf(page.nextLink ?? "") });
    const last = casePage.parse(next.json);
    expect([...page.value, ...last.value].map((each) => each.caseNumber).toSorted()).toEqual(own.toSorted());
    expect(last.nextLink).toBeUndefined();
  });
});

describe("linking a bundle", () => {
  it("is repeatable, shown on both sides, and can be undone", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const { caseNumber, path, partition } = supportCase;
    const bundle = await stamp.createBundle();
    const { stampId, bundleId } = bundle;
    const linked = expectStatus(await supportCase.link(bundle), 201).json;
    expect(linked).toMatchObject({ caseNumber, stampId, bundleId, linkedOn: expect.stringMatching(/Z$/) });
    expect(expectStatus(await supportCase.link(bundle, system), 200).json).toEqual(linked);
    const listed = await linkedTo(path);
    expect(listed).toMatchObject([{ stampId, bundleId, links: [{ caseNumber }] }]);
    expect(listed[0]).not.toHaveProperty("upload");
    expect((await stamp.bundle(bundleId)).links).toMatchObject([{ caseNumber }]);

    expectStatus(await supportCase.unlink(bundle), 204);
    expectStatus(await supportCase.unlink(bundle, system), 204);
    expect(await linkedTo(path)).toEqual([]);
    expect((await stamp.bundle(bundleId)).links).toEqual([]);
    const links = (await world.events(partition)).filter((event) => /linked$/.test(event.type));
    expect(links.map(({ type, actor, data }) => ({ type, kind: actor.kind, data }))).toMatchObject([
      { type: "bundle.linked", kind: "person", data: { caseNumber, stampId, bundleId } },
      { type: "bundle.unlinked", kind: "person", data: { caseNumber, stampId, bundleId } },
    ]);
  });

  it("is for bundles in any state", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const canceled = await stamp.createBundle();
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(canceled.bundleId)}:cancel`), 200);
    const { bundle: accepted } = await stamp.acceptedBundle();
    for (const bundle of [canceled, accepted]) expectStatus(await supportCase.link(bundle), 201);
    const states = (await linkedTo(supportCase.path)).map((bundle) => bundle.state);
    expect(states.toSorted()).toEqual(["accepted", "canceled"]);
  });

  it("is refused for a stamp that the case does not list, a bundle that is not there, and a closed case", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const stranger = await world.registeredStamp();
    const bundle = await stamp.createBundle();
    const linked = await stamp.createBundle();
    expectStatus(await supportCase.link(linked), 201);
    await unchanged(world, supportCase, async () => {
      expectRefusal(await supportCase.link(await stranger.createBundle()), 409, "StampNotOnCase");
      expectRefusal(await supportCase.link({ ...bundle, bundleId: randomUUID() }), 404, "NotFound");
      const nowhere = `/cases/${newCaseNumber()}/stamps/${stamp.stampId}/bundles/${bundle.bundleId}`;
      expectRefusal(await system.call("PUT", nowhere), 404, "NotFound");
      for (const role of ["R", "A"] as const) {
        expectRefusal(await supportCase.link(bundle, await world.person(role)), 403, "RoleMissing");
        expectRefusal(await supportCase.unlink(linked, await world.person(role)), 403, "RoleMissing");
      }
      expectRefusal(await supportCase.engineer.call("PUT", supportCase.linkPath(bundle), {}), 400, "InvalidBody");
      return undefined;
    });
    await supportCase.close();
    await unchanged(world, [supportCase, stamp], async () => {
      expectRefusal(await supportCase.link(bundle), 403, "CaseNotOpen");
      expectRefusal(await supportCase.unlink(linked), 403, "CaseNotOpen");
      return undefined;
    });
  });

  it("follows a stamp's claim only where the case lists the stamp, and the answer never tells", async () => {
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const strangers = await world.openCase();
    const answers = [];
    for (const { caseNumber } of [supportCase, strangers, { caseNumber: newCaseNumber() }]) {
      const bundleId = randomUUID();
      const answer = await stamp.call("PUT", stamp.bundlePath(bundleId), await stamp.bundleRequest({ caseNumber }));
      answers.push(bundleShape.parse(expectStatus(answer, 201).json));
    }
    expect(answers.map((answer) => answer.links)).toEqual([[], [], []]);
    expect(new Set(answers.map((answer) => Object.keys(answer).toSorted().join())).size).toBe(1);
    expect((await linkedTo(supportCase.path)).map((bundle) => bundle.bundleId)).toEqual([answers[0]?.bundleId]);
    expect(await linkedTo(strangers.path)).toEqual([]);
  });

  it("links a claimed bundle when it is accepted, where the case came to list the stamp meanwhile", async () => {
    const supportCase = await world.openCase();
    const bytes = await makeZip();
    const { caseNumber } = supportCase;
    const bundle = await stamp.createBundle({ caseNumber, sizeBytes: bytes.byteLength });
    expectStatus(await supportCase.put({ stampIds: [stamp.stampId] }), 200);
    expect(await linkedTo(supportCase.path)).toEqual([]);
    await stamp.upload(bundle, bytes);
    expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
    await stamp.waitFor(bundle.bundleId, "accepted");
    const linked = await until("the claim is followed", async () => {
      const found = await linkedTo(supportCase.path);
      return found.length > 0 && found;
    });
    expect(linked.map((each) => each.bundleId)).toEqual([bundle.bundleId]);
  });

  it("has candidates, each with its reasons", async () => {
    const own = await world.registeredStamp();
    const supportCase = await world.openCase({ stampIds: [own.stampId] });
    const linked = await own.acceptedBundle();
    const free = await own.acceptedBundle();
    expectStatus(await supportCase.link(linked.bundle), 201);
    const candidates = await linkedTo(supportCase.path, supportCase.engineer, { candidates: "true" });
    expect(candidates.map((bundle) => bundle.bundleId)).toEqual([free.bundleId]);
    const [candidate] = candidates;
    expect(candidate?.reasons).toEqual(expect.arrayContaining([expect.stringMatching(/\S/)]));
    expect(candidate).not.toHaveProperty("upload");
    expect((await linkedTo(supportCase.path)).map((bundle) => bundle.bundleId)).toEqual([linked.bundleId]);
  });

  it("has candidates in the order of what speaks for them, over pages of any size", async () => {
    const own = await world.registeredStamp();
    await own.enableConsent();
    const supportCase = await world.openCase({
      stampIds: [own.stampId],
      fields: { title: "Urp.UpdateWarning at night" },
    });
    const daysAgo = (days: number) => ({
      logsFrom: world.on(-24 * days - 4),
      logsTo: world.on(-24 * days),
      collectedOn: world.on(-24 * days),
    });
    const proactive = (faultId: string) => ({ mode: "proactive", trigger: { faultId, raisedOn: world.on() } });
    const old = await own.acceptedBundle(daysAgo(20));
    const named = await own.acceptedBundle({ ...daysAgo(20), caseNumber: newCaseNumber() });
    const titled = await own.acceptedBundle({ ...daysAgo(0), ...proactive("Urp.UpdateWarning") });
    const fault = await own.acceptedBundle({ ...daysAgo(0), ...proactive("Urp.UpdateFailure") });
    const recent = await own.acceptedBundle(daysAgo(0));
    const dayOld = await own.acceptedBundle(daysAgo(0.5));
    const expected = [titled, fault, recent, dayOld, named, old].map(({ bundleId }) => bundleId);
    for (const top of ["1", "2", "100"]) {
      const listed = await linkedTo(supportCase.path, supportCase.engineer, { candidates: "true", top });
      expect(listed.map(({ bundleId }) => bundleId)).toEqual(expected);
    }
    // A person confirms; what is linked then speaks for others.
    expectStatus(await supportCase.link(fault.bundle), 201);
    const left = await linkedTo(supportCase.path, supportCase.engineer, { candidates: "true" });
    expect(left.map(({ bundleId }) => bundleId)).toEqual(expected.filter((each) => each !== fault.bundleId));
  });

  it("keeps in the ledger that a bundle was linked, unlinked and linked again, and shows the link that stands", async () => {
    const own = await world.registeredStamp();
    const supportCase = await world.openCase({ stampIds: [own.stampId] });
    const { bundle } = await own.acceptedBundle();
    const first = linkShape.parse(expectStatus(await supportCase.link(bundle), 201).json);
    expectStatus(await supportCase.unlink(bundle), 204);
    expect((await own.bundle(bundle.bundleId)).links).toEqual([]);
    const again = linkShape.parse(expectStatus(await supportCase.link(bundle), 201).json);
    expect(Date.parse(again.linkedOn)).toBeGreaterThan(Date.parse(first.linkedOn));
    const { caseNumber } = supportCase;
    expect((await own.bundle(bundle.bundleId)).links).toEqual([{ caseNumber, linkedOn: again.linkedOn }]);
    const typesOf = async (partition: string) =>
      (await world.events(partition))
        .filter(({ data, type }) => data.bundleId === bundle.bundleId && /link|bundle\.case/i.test(type))
        .map(({ type }) => type);
    expect(await typesOf(supportCase.partition)).toEqual(["bundle.linked", "bundle.unlinked", "bundle.linked"]);
    expect(await typesOf(own.partition)).toEqual(["bundle.caseAdded", "bundle.caseRemoved", "bundle.caseAdded"]);
  });
});
