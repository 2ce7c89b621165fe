import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWholeLedger, faultsOf, ofBundle } from "../support/ledger.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { eventPage, type LedgerEvent } from "../support/system/shapes.ts";
import { openWorld, type Person, queryOf, readAll, type World } from "../support/system/world.ts";

/** What happened, told in chains that anybody can check with SHA-256 and RFC 8785 (invariants 1, 9 and 10). */

let world: World;
let auditor: Person;
beforeAll(async () => {
  world = await openWorld();
  auditor = await world.person("A");
});
afterAll(() => world.close());

/** Free texts and names, each to be found by its mark wherever it should not be. */
const mark = `mark${randomUUID().slice(0, 8)}`;
const operator = { decidedBy: `Maria ${mark}`, reason: `Because of ${mark}` };

/** A whole life, with a mark in every free text that a request may hold. */
async function wholeLife() {
  const stamp = await world.registeredStamp({ registration: { displayName: `Lab ${mark}`, geography: `geo${mark}` } });
  await stamp.enableConsent({ decidedBy: operator.decidedBy });
  const supportCase = await world.openCase({ stampIds: [stamp.stampId], fields: { title: `Fails at ${mark}` } });
  const consent = {
    decidedBy: operator.decidedBy,
    decidedOn: world.on(),
    termsVersion: await world.currentTerms(),
  };
  const { bundle, bundleId } = await stamp.acceptedBundle({
    consent,
    fileName: `${mark}.zip`,
    roles: [`Role${mark}`],
    caseNumber: supportCase.caseNumber,
  });
  expectStatus(await supportCase.link(bundle), 200);
  const { grantId } = await supportCase.grant([bundle], { justification: `To see ${mark}` });
  await supportCase.url(grantId, bundle);
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, operator), 202);
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancelErase`, operator), 200);
  await stamp.disableConsent({ decidedBy: operator.decidedBy });
  await supportCase.close();
  return { stamp, supportCase, bundleId, grantId };
}

describe("the ledger", () => {
  it("[invariant 1] [invariant 10] holds every change as an event, in whole chains", async () => {
    const { stamp, supportCase, bundleId } = await wholeLife();
    const all = await world.events();
    expectWholeLedger(all);
    const ofStamp = all.filter((event) => event.partition === stamp.partition);
    const ofCase = all.filter((event) => event.partition === supportCase.partition);
    expect(ofStamp.map((event) => event.type).filter((type) => !/case(Added|Removed)$/.test(type))).toEqual([
      "stamp.registered",
      "consent.decided",
      "bundle.created",
      "bundle.submitted",
      "bundle.accepted",
      "bundle.accessed",
      "bundle.erasureRequested",
      "bundle.erasureCanceled",
      "consent.decided",
    ]);
    expect(ofCase.map((event) => event.type)).toEqual(
      expect.arrayContaining([
        "case.updated",
        "bundle.linked",
        "grant.activated",
        "url.issued",
        "grant.ended",
        "case.closed",
      ]),
    );
    const kinds = Object.fromEntries(ofStamp.map((event) => [event.type, event.actor.kind]));
    expect(kinds).toMatchObject({
      "stamp.registered": "service",
      "consent.decided": "stamp",
      "bundle.created": "stamp",
      "bundle.accepted": "service",
      "bundle.accessed": "person",
    });
    for (const event of ofBundle(all, bundleId)) expect(event.data).toMatchObject({ stampId: stamp.stampId, bundleId });
    const times = ofStamp.map((event) => Date.parse(event.on));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("[invariant 9] holds no name, no free text, no object id, no signature", async () => {
    const { supportCase } = await wholeLife();
    const told = JSON.stringify(await world.events());
    expect(told).not.toContain(mark);
    expect(told).not.toContain(supportCase.engineer.oid);
    expect(told).not.toMatch(/sig=|eyJ|Bearer/);
    const printed = world.service.output();
    expect(printed).not.toContain(mark);
    expect(printed).not.toMatch(/sig=[A-Za-z0-9%]|eyJ[A-Za-z0-9]/);
  });

  it("is read in pages of any size, of one partition or of all, each event once and in order", async () => {
    const { stamp, supportCase } = await wholeLife();
    const pagesOf = async (query: Readonly<Record<string, string>>): Promise<LedgerEvent[][]> => {
      const pages: LedgerEvent[][] = [];
      let next: Readonly<Record<string, string>> | undefined = query;
      while (next !== undefined) {
        const answer = await auditor.call("GET", "/compliance/events", undefined, { query: next });
        const page: { value: LedgerEvent[]; nextLink?: string | undefined } = eventPage.parse(
          expectStatus(answer, 200).json,
        );
        pages.push(page.value);
        next = page.nextLink === undefined ? undefined : queryOf(page.nextLink);
      }
      return pages;
    };
    for (const { partition } of [stamp, supportCase]) {
      const whole = await world.events(partition);
      for (const top of [1, 3, whole.length, whole.length + 1]) {
        const pages = await pagesOf({ partition, top: String(top) });
        expect(pages.flat()).toEqual(whole);
        expect(pages.every((page) => page.length <= top)).toBe(true);
      }
    }
    const names = (events: readonly LedgerEvent[]) => events.map((event) => `${event.partition} ${event.seq}`);
    const [small, large] = [(await pagesOf({ top: "7" })).flat(), await world.events()];
    expect(names(small.filter((event) => event.partition !== "service"))).toEqual(
      names(large.filter((event) => event.partition !== "service")),
    );
    expect(new Set(names(small)).size).toBe(small.length);
    expectWholeLedger(small);
    expect(await world.events(stamp.partition.toUpperCase().replace("STAMPS", "stamps"))).toEqual(
      await world.events(stamp.partition),
    );
  });

  it("is the auditor's alone", async () => {
    const stamp = await world.registeredStamp();
    for (const role of ["R", "C", "E"] as const) {
      expectRefusal(await (await world.person(role)).call("GET", "/compliance/events"), 403, "RoleMissing");
    }
    expectRefusal(await stamp.call("GET", "/compliance/events"), 401, "TokenMissing");
    expectRefusal(await world.anonymous("GET", "/compliance/events"), 401, "TokenMissing");
  });

  it.each(["stamps/x", "stamps", "cases/12", "services", "../service"])("knows no partition %s", async (partition) => {
    const answer = await auditor.call("GET", "/compliance/events", undefined, { query: { partition } });
    expect(expectRefusal(answer, 400, "InvalidParameter").target).toBe("partition");
  });

  it("is empty of what never happened", async () => {
    expect(await readAll(auditor.call, "/compliance/events", { partition: `stamps/${randomUUID()}` })).toEqual([]);
  });
});

describe("the check that these tests use", () => {
  it("[invariant 10] finds an event that was altered, left out, put in or moved", async () => {
    const { stamp } = await wholeLife();
    const whole = await world.events(stamp.partition);
    expect(faultsOf(whole)).toEqual([]);
    const [first, second, third] = whole;
    if (first === undefined || second === undefined || third === undefined) throw new Error("Too few events");
    const rest = whole.slice(3);
    expect(faultsOf([first, { ...second, type: "stamp.enabled" }, third, ...rest])).not.toEqual([]);
    expect(faultsOf([first, { ...second, data: { ...second.data, purposes: [] } }, third, ...rest])).not.toEqual([]);
    expect(faultsOf([first, third, ...rest])).not.toEqual([]);
    expect(faultsOf([first, second, second, third, ...rest])).not.toEqual([]);
    expect(faultsOf([second, first, third, ...rest])).not.toEqual([]);
  });
});
