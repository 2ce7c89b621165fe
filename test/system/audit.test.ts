import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publishedKeys } from "../support/system/papers.ts";
import { runScript } from "../support/system/service.ts";
import { openWorld, readAll, type World } from "../support/system/world.ts";

/** `npm run audit` finds the service that runs here by itself, and its exports need it no more. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const audit = (...parameters: string[]) => runScript(world.service.directory, "audit/cli.ts", ...parameters);

test("the ledger of a running service holds, chain by chain", async () => {
  const stamp = await world.registeredStamp();
  await stamp.enableConsent();
  await stamp.createBundle();
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  const said = await audit("check");
  expect(said).toContain(`${stamp.partition}: to seq 3`);
  expect(said).toContain(`${supportCase.partition}: to seq 1`);
  expect(said).toMatch(/Checked \d+ events in \d+ partitions: every chain holds\.$/);
});

test("an export is verified by the auditor's key and checkpoint; altered, it is not", async () => {
  const stamp = await world.registeredStamp();
  await world.runTimer("sealCheckpoint");
  await stamp.enableConsent();
  await world.runTimer("sealCheckpoint");
  const auditor = await world.person("A");
  const [held] = await readAll(auditor.call, "/compliance/checkpoints");
  const directory = join(world.service.directory, "export");
  const since = join(world.service.directory, "held.jws");
  await writeFile(since, Object(held).checkpoint);
  const [key] = (await publishedKeys(world)).keys;
  const thumbprint = await calculateJwkThumbprint(key ?? {});

  const sealed = async () => (await readAll(auditor.call, "/compliance/checkpoints")).length;
  const before = await sealed();
  expect(before).toBeGreaterThanOrEqual(2);
  const [, checkpoints] = /^Exported \d+ events and (\d+) checkpoints/.exec(await audit("export", directory)) ?? [];
  expect(Number(checkpoints)).toBeGreaterThanOrEqual(before);
  // The timer seals one at its hour too.
  expect(Number(checkpoints)).toBeLessThanOrEqual(await sealed());
  await expect(audit("export", directory)).rejects.toThrow("is not empty");
  expect(await audit("export", directory, "--force")).toMatch(/^Exported/);

  const unanchored = await audit("verify", directory);
  expect(unanchored).toContain("Consistent, and not authenticated");
  expect(unanchored).toContain(thumbprint);
  const verify = () => audit("verify", directory, "--trust", thumbprint, "--since", since);
  expect(await verify()).toMatch(/^Consistent and authenticated/m);

  const events = join(directory, "events.ndjson");
  await writeFile(events, (await readFile(events, "utf8")).replace("consent.decided", "consent.revoked"));
  await expect(verify()).rejects.toThrow("ended with 1");
  await rm(directory, { recursive: true });
  await expect(verify()).rejects.toThrow("ended with 1: ");
});

test("the retention report is a table for people and for spreadsheets", async () => {
  expect(await audit("report")).toMatch(/^Retention +value$/m);
  expect(await audit("report", "--csv")).toMatch(/^Retention,value$/m);
});

test("a person is forgotten, again is the same, and the ledger goes on", async () => {
  const stamp = await world.registeredStamp();
  await stamp.enableConsent();
  const decided = (await world.events(stamp.partition)).find(({ type }) => type === "consent.decided");
  const subject = String(decided?.data.decidedBy);
  expect(await audit("forget", subject)).toContain(subject);
  expect(await audit("forget", subject)).toContain(subject);
  await expect(audit("forget", randomUUID())).rejects.toThrow("404 NotFound");
  expect(await audit("check")).toContain("every chain holds");
  await expect(audit("forget", "../terms")).rejects.toThrow("is no subject id");
});
