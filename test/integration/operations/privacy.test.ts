import { createHash, randomUUID } from "node:crypto";
import { odata, TableClient } from "@azure/data-tables";
import canonicalize from "canonicalize";
import { expect, test } from "vitest";
import { expectWholeLedger } from "../../support/ledger.ts";
import { dropBoxRequest } from "../../support/system/dropBoxes.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { carrying, saveBundle } from "../../support/system/imports.ts";
import { bundleShape, caseShape, consentShape, grantShape } from "../../support/system/shapes.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted } from "./support/bundles.ts";
import { secretOfErrors } from "./support/faults.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** People and what they wrote stand in side rows alone: those can go, and the ledger is as whole as before (invariant 9). */

const stageOf = useStages();

/** A life in which every free text and every name holds the mark. */
async function markedLife(stage: Stage, mark: string) {
  const by = { decidedBy: `Maria ${mark}` };
  const said = { ...by, reason: `Because of ${mark}` };
  const stamp = await stage.registeredStamp({
    registration: { displayName: `Lab ${mark}`, geography: `geo ${mark}` },
  });
  await stamp.enableConsent(by);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId], fields: { title: `Fails at ${mark}` } });
  const consent = { ...by, decidedOn: stage.on(), termsVersion: await stage.currentTerms() };
  const { caseNumber } = supportCase;
  const { bundle, bundleId } = await accepted(stage, stamp, {
    consent,
    caseNumber,
    fileName: `${mark}.zip`,
    roles: [`Role ${mark}`],
  });
  const { grantId } = await supportCase.grant([bundle], { justification: `To see ${mark}` });
  await supportCase.url(grantId, bundle);
  for (const action of ["erase", "cancelErase", "erase"]) {
    const answer = await stamp.call("POST", `${stamp.bundlePath(bundleId)}:${action}`, said);
    expect([200, 202]).toContain(answer.status);
  }
  await stamp.disableConsent(by);
  await supportCase.put({ title: `Still fails at ${mark}` });
  await supportCase.close();
  return { stamp, supportCase, bundleId, grantId };
}

test("[invariant 9] no event holds a name, a free text or an object id that a request gave", async () => {
  const stage = stageOf();
  const mark = `mark-${randomUUID()}`;
  const { supportCase } = await markedLife(stage, mark);
  await stage.another({ offsetDays: 2 }).runTimer("purgeDue");
  const told = JSON.stringify(await stage.events());
  expect(told).not.toContain(mark);
  expect(told).not.toContain(supportCase.engineer.oid);
  expect(told).not.toContain((await stage.person("C")).oid);
  expect(told).not.toContain((await stage.person("R")).oid);
});

test("[invariant 9] the side rows can be deleted: the chains are whole, and what remains is still answered", async () => {
  const stage = stageOf();
  const mark = `mark-${randomUUID()}`;
  const { stamp, supportCase, bundleId, grantId } = await markedLife(stage, mark);
  // An auditor who was forgotten is somebody new, whose first look is an event of its own.
  const toldBy = async (by: Stage) => (await by.events()).filter(({ type }) => type !== "audit.exported");
  const whole = await stage.events();
  const before = await toldBy(stage);
  const deleted = [
    ...(await deleteRows(stage, "people")),
    ...(await deleteRows(stage, "stamps", "note!")),
    ...(await deleteRows(stage, "cases", "note!")),
  ];
  expect(deleted.length).toBeGreaterThan(8);

  const later = stage.another();
  expect(await toldBy(later)).toEqual(before);
  expectWholeLedger(whole);
  expectWholeLedger(await later.events());
  const auditor = await later.person("A");
  const read = async (path: string) => expectStatus(await auditor.call("GET", path), 200);
  const consent = await read(`${stamp.path}/consents/proactiveCollection`);
  expect(consentShape.parse(consent.json)).toMatchObject({ state: "disabled" });
  expect(consent.text).not.toContain(mark);
  const supportCaseSeen = await read(supportCase.path);
  expect(caseShape.parse(supportCaseSeen.json)).toMatchObject({ state: "closed" });
  expect(supportCaseSeen.text).not.toContain(mark);
  const grant = await read(`${supportCase.path}/accessGrants/${grantId}`);
  expect(grant.text).not.toContain(mark);
  expect(grantShape.omit({ justification: true }).parse(grant.json)).toMatchObject({ state: "ended" });
  expect(bundleShape.parse((await read(stamp.bundlePath(bundleId))).json)).toMatchObject({ bundleId });
  expect((await read(`${stamp.path}/accesses`)).text).not.toContain(supportCase.engineer.oid);
});

test("[invariant 9] no line of the log holds a secret, a name or a free text, in success, refusal or outage", async () => {
  const stage = stageOf();
  const mark = `mark-${randomUUID()}`;
  const { stamp, supportCase } = await markedLife(stage, mark);
  await stamp.call("PUT", `${stamp.path}/consents/proactiveCollection`, { state: mark, [mark]: mark });
  await stamp.call("GET", `/stamps/${mark}`).catch(() => undefined);
  const bytes = await makeZip();
  const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(bundle, bytes);
  for (const part of ["/stamps", "/landing-", "/bundles-", "/verify/", "/people", "/cases"]) {
    stage.faults.failWhere(({ url }) => new URL(url).pathname.includes(part));
    await stamp.submit(bundle.bundleId, bytes);
    await stage.verify(bundle).catch(() => undefined);
    await supportCase.put({ title: mark });
    stage.faults.failWhere(undefined);
  }
  expect(stage.logged.length).toBeGreaterThan(5);
  const lines = stage.logged.join("\n");
  expect(lines).not.toContain(mark);
  expect(lines).not.toContain(secretOfErrors);
  expect(lines).not.toMatch(/sig=(?!…)|Bearer|eyJ|AccountKey/i);
});

test("[invariant 9] no row holds a digest of what was asked that names could be tried against", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const supportCase = await stage.openCase();
  const request = await stamp.bundleRequest();
  expectStatus(await stamp.call("PUT", stamp.bundlePath(randomUUID()), request), 201);
  const saved = await saveBundle(stamp);
  expectStatus(await carrying(stage, saved.manifest)("PUT", saved.path, { carriedBy: "Carol" }), 201);
  const boxRequest = await dropBoxRequest(stage);
  expectStatus(
    await supportCase.engineer.call("PUT", `${supportCase.path}/dropBoxes/${randomUUID()}`, boxRequest),
    201,
  );
  const rows = JSON.stringify([...(await rowsOf(stage, "stamps")), ...(await rowsOf(stage, "cases"))]);
  for (const named of [request, saved.claims, boxRequest]) {
    const digest = createHash("sha256")
      .update(canonicalize(named) ?? "")
      .digest("hex");
    expect(rows).not.toContain(digest);
  }
});

async function rowsOf({ connectionString }: Stage, table: string): Promise<unknown[]> {
  const client = TableClient.fromConnectionString(connectionString, table, { allowInsecureConnection: true });
  const rows: unknown[] = [];
  for await (const row of client.listEntities()) rows.push(row);
  return rows;
}

/** Deletes the rows of a table whose key begins so; gives their keys. */
async function deleteRows(stage: Stage, table: string, prefix = ""): Promise<string[]> {
  const client = TableClient.fromConnectionString(stage.connectionString, table, { allowInsecureConnection: true });
  const filter = odata`RowKey ge ${prefix} and RowKey lt ${`${prefix}~`}`;
  const keys: string[] = [];
  for await (const { partitionKey = "", rowKey = "" } of client.listEntities({ queryOptions: { filter } })) {
    await client.deleteEntity(partitionKey, rowKey);
    keys.push(rowKey);
  }
  return keys;
}
