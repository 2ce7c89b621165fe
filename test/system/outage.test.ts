import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { counted, expectWholeLedger, ofBundle } from "../support/ledger.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** Storage goes away under a running service, and comes back. Each step of each operation is `integration/operations/outage`. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Ends the storage of the running service, as politely as it takes to keep its data. */
async function endStorage(): Promise<void> {
  const text = await readFile(join(world.service.directory, "azurite.json"), "utf8");
  const { pid } = z.object({ pid: z.int() }).parse(JSON.parse(text));
  process.kill(pid, "SIGTERM");
  await until("the storage has ended", () => !isAlive(pid));
}

it("[invariant 7] every operation is 503 with Retry-After while storage is away, and works when it is back", async () => {
  const stamp = await world.registeredStamp();
  const { bundle } = await stamp.acceptedBundle();
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const bytes = await makeZip();
  const ready = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(ready, bytes);
  const [registrar, auditor] = [await world.person("R"), await world.person("A")];
  const request = await stamp.bundleRequest();
  const bundleId = randomUUID();
  const decision = { state: "enabled", decidedBy: "operator", termsVersion: await world.currentTerms() };

  const operations: readonly (readonly [string, number, () => Promise<Answer>])[] = [
    ["create", 201, () => stamp.call("PUT", stamp.bundlePath(bundleId), request)],
    ["submit", 202, () => stamp.submit(ready.bundleId, bytes)],
    ["read", 200, () => stamp.call("GET", stamp.bundlePath(bundle.bundleId))],
    ["history", 200, () => stamp.call("GET", `${stamp.path}/bundles`)],
    ["consent", 200, () => stamp.call("PUT", `${stamp.path}/consents/proactiveCollection`, decision)],
    ["enable", 200, () => registrar.call("POST", `${stamp.path}:enable`)],
    ["case", 200, () => supportCase.engineer.call("GET", supportCase.path)],
    ["URL", 200, () => supportCase.issueUrl(grantId, bundle)],
    ["revoke", 200, () => supportCase.engineer.call("POST", `${supportCase.path}/accessGrants/${grantId}:revoke`)],
    ["ledger", 200, () => auditor.call("GET", "/compliance/events")],
  ];

  await endStorage();
  const { pid } = world.service;
  for (const [, , act] of operations) {
    const error = expectRefusal(await act(), 503, "ServiceUnavailable");
    expect(JSON.stringify(error)).not.toMatch(/ECONN|127\.0\.0\.1|azurite|stack/i);
  }
  for (const path of ["/health", "/terms", "/openapi.json", "/.well-known/jwks.json"]) {
    expectStatus(await world.send({ method: "GET", path }), 200);
  }
  expect(world.service.pid).toBe(pid);

  await world.restart();
  for (const [name, status, act] of operations) expect([name, (await act()).status]).toEqual([name, status]);
  await stamp.waitFor(ready.bundleId, "accepted");
  const events = await world.events();
  expectWholeLedger(events);
  expect(counted(ofBundle(events, bundleId))).toEqual({ "bundle.created": 1 });
  expect(counted(ofBundle(events, ready.bundleId))).toEqual({
    "bundle.created": 1,
    "bundle.submitted": 1,
    "bundle.accepted": 1,
  });
});
