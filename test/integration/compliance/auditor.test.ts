import { randomUUID } from "node:crypto";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Route } from "../../../shared/api/route.ts";
import { routes } from "../../../shared/api/routes.ts";
import type { complianceHandlers } from "../../../shared/http/handlers/compliance.ts";
import type { listCheckpoints, listLeaves, proveInclusion } from "../../../shared/operations/compliance/checkpoints.ts";
import type { listAllAccesses } from "../../../shared/operations/compliance/listAllAccesses.ts";
import type { listEvents } from "../../../shared/operations/compliance/listEvents.ts";
import type { getRetention } from "../../../shared/operations/compliance/retention.ts";
import type { AuditWorld } from "../../../shared/operations/needs.ts";
import { expectWholeLedger } from "../../support/ledger.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { eventPage } from "../../support/system/shapes.ts";
import { readAll } from "../../support/system/world.ts";
import { accepted } from "../operations/support/bundles.ts";
import { openDropBox } from "../operations/support/dropBoxes.ts";
import type { Call } from "../operations/support/faults.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** An auditor reads and changes nothing, but for the event which says that the whole ledger was taken. */

const openStage = useStages();

/** Noon, so that no test is run across midnight. */
const noon = 0.5 - (Date.now() / 86_400_000 - Math.floor(Date.now() / 86_400_000));
const stages = () => openStage({ offsetDays: noon });

/** A life with everything in it that the auditor's routes name. */
async function lived(stage: Stage): Promise<(path: string) => string> {
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  await supportCase.url(grantId, bundle);
  const { dropBoxId } = await openDropBox(stage, supportCase);
  await stage.app.timers.sealCheckpoint();
  const names = new Map([
    ["stampId", stamp.stampId],
    ["bundleId", bundleId],
    ["caseNumber", supportCase.caseNumber],
    ["grantId", grantId],
    ["dropBoxId", dropBoxId],
    ["seq", "1"],
  ]);
  return (path) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names.get(name) ?? name);
}

const forAuditors = Object.values<Route>(routes).filter(({ who }) => who !== "anyone" && who.includes("A"));

/** Storage reads by GET and HEAD, and by nothing else. */
const writes = (calls: readonly Call[]) => calls.filter(({ method }) => method !== "GET" && method !== "HEAD");

const exportsOf = async (stage: Stage) =>
  (await stage.events("service")).filter(({ type }) => type === "audit.exported");

describe("an auditor's reading", () => {
  test("is by GET alone, and writes nothing to storage: of all routes only the first look of a day at the whole ledger does", async () => {
    const stage = stages();
    const filled = await lived(stage);
    const auditor = await stage.person("A", randomUUID());
    // Whom it meets for the first time, the edge gives a subject id.
    expectStatus(await auditor.call("GET", "/stamps"), 200);
    expect(new Set(forAuditors.map(({ verb }) => verb))).toEqual(new Set(["GET"]));
    const writing: string[] = [];
    for (const { operationId, path } of forAuditors) {
      const query = operationId === "Compliance_GetProof" ? { partition: filled("stamps/{stampId}") } : {};
      const { result, calls } = await stage.faults.watching(() =>
        auditor.call("GET", filled(path), undefined, { query }),
      );
      const expected = operationId.endsWith("_GetErasure") ? [404] : [200, 409];
      expect(expected, `${operationId} ${result.text}`).toContain(result.status);
      if (writes(calls).length > 0) writing.push(operationId);
    }
    expect(writing).toEqual(["Compliance_ListEvents"]);
    const again = await stage.faults.watching(() => auditor.call("GET", "/compliance/events"));
    expect(writes(again.calls)).toEqual([]);
  });

  test("has operations that could not write: by their types they are handed none but readers", () => {
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof getRetention>[0]>();
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof listAllAccesses>[0]>();
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof listCheckpoints>[0]>();
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof listEvents>[0]>();
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof listLeaves>[0]>();
    expectTypeOf<AuditWorld>().toExtend<Parameters<typeof proveInclusion>[0]>();
    expectTypeOf<Parameters<typeof complianceHandlers>[0]>().toEqualTypeOf<AuditWorld>();
    type Stores = Omit<AuditWorld, "clock" | "rules">;
    type Methods = { [Store in keyof Stores]: keyof Stores[Store] }[keyof Stores];
    expectTypeOf<Methods>().toEqualTypeOf<
      | "asOf"
      | "cases"
      | "completeAsOf"
      | "counts"
      | "cursor"
      | "earlyDue"
      | "findings"
      | "heldDays"
      | "lastSuccess"
      | "list"
      | "newest"
      | "of"
      | "oldestExpiring"
      | "placeBefore"
      | "placeOf"
      | "position"
      | "senders"
      | "touchedSince"
      | "whois"
    >();
  });
});

describe("an export of the whole ledger", () => {
  test("is an event in what it lists, once for each auditor and day, and listing again changes nothing", async () => {
    const stage = stages();
    await lived(stage);
    const [one, other] = [await stage.person("A", randomUUID()), await stage.person("A", randomUUID())];
    const first = await readAll(one.call, "/compliance/events", { top: "3" });
    const [event, ...more] = await exportsOf(stage);
    expect(more).toEqual([]);
    expect(first).toContainEqual(event);
    expect(event).toMatchObject({
      actor: { kind: "person" },
      data: { day: stage.now().toISOString().slice(0, 10).replaceAll("-", "") },
    });
    expect(JSON.stringify(event)).not.toContain(one.oid);
    expect(await readAll(one.call, "/compliance/events")).toEqual(first);

    await Promise.all([0, 1, 2].map(() => other.call("GET", "/compliance/events")));
    expect(await exportsOf(stage)).toHaveLength(2);
    const tomorrow = stage.another({ offsetDays: noon + 1 });
    await readAll((await tomorrow.person("A", one.oid)).call, "/compliance/events");
    expect(await exportsOf(tomorrow)).toHaveLength(3);
    expectWholeLedger(await stage.events());
  });

  test.each(["cases/000000000000000#0", "stamps/00000000-0000-0000-0000-000000000000#0", "service#0", "nonsense"])(
    "is an event whichever page is asked for: the made-up token of %s hides nothing",
    async (place) => {
      const stage = stages();
      await lived(stage);
      const auditor = await stage.person("A");
      const skipToken = Buffer.from(place).toString("base64url");
      const answer = await auditor.call("GET", "/compliance/events", undefined, { query: { skipToken } });
      expect([200, 400]).toContain(answer.status);
      expect(await exportsOf(stage)).toHaveLength(answer.status === 200 ? 1 : 0);
      if (answer.status === 400) expectRefusal(answer, 400, "InvalidParameter");
    },
  );

  test("is an event of each day on which a page of it is read", async () => {
    const stage = stages();
    await lived(stage);
    const auditor = await stage.person("A");
    const query = { top: "1" };
    const first = eventPage.parse((await auditor.call("GET", "/compliance/events", undefined, { query })).json);
    const skipToken = new URL(first.nextLink ?? "").searchParams.get("skipToken") ?? "";
    const tomorrow = stage.another({ offsetDays: noon + 1 });
    const goingOn = await tomorrow.person("A", auditor.oid);
    expectStatus(await goingOn.call("GET", "/compliance/events", undefined, { query: { ...query, skipToken } }), 200);
    expect(await exportsOf(tomorrow)).toHaveLength(2);
  });

  test("is none where a partition is named, or the caller is refused", async () => {
    const stage = stages();
    await lived(stage);
    await stage.events("service");
    for (const role of ["R", "C", "E"] as const) await (await stage.person(role)).call("GET", "/compliance/events");
    expect(await exportsOf(stage)).toEqual([]);
  });

  test("is refused where it cannot be recorded: nobody takes the ledger unseen", async () => {
    const stage = stages();
    await lived(stage);
    const auditor = await stage.person("A");
    await auditor.call("GET", "/stamps");
    stage.faults.failWhere(({ url }) => url.includes("$batch"));
    expect((await auditor.call("GET", "/compliance/events")).status).toBe(503);
    stage.faults.failWhere(undefined);
    expect((await auditor.call("GET", "/compliance/events")).status).toBe(200);
    expect(await exportsOf(stage)).toHaveLength(1);
  });
});
