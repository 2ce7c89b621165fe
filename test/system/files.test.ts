import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { z } from "zod";
import { expectStatus } from "../support/system/expectations.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { until } from "../support/until.ts";

/** One file of a bundle that is too large to wait for: a resource to poll, then its URL. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const extraction = z.object({ id: z.string(), status: z.string(), url: z.url().optional() });
const large = 65 * 1024 * 1024;

test("a large file is taken out by the queue, and its URL is given to whoever asks again", async () => {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.alloc(large), "Storage/Cluster.log");
  zip.end();
  const bytes = await buffer(zip.outputStream);
  const stamp = await world.registeredStamp();
  const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(bundle, bytes);
  expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
  await stamp.waitFor(bundle.bundleId, "accepted");
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  await supportCase.grant([bundle]);
  const { call } = supportCase.engineer;
  const ask = () => call("POST", `${supportCase.linkPath(bundle)}/files:extract`, { path: "Storage/Cluster.log" });

  const answer = expectStatus(await ask(), 202);
  const operation = new URL(answer.headers["operation-location"] ?? "");
  expect(operation.origin).toBe(world.origin);
  await until("the file is taken out", async () => {
    const { status } = extraction.parse(expectStatus(await call("GET", operation.pathname), 200).json);
    return status === "Succeeded" ? true : undefined;
  });
  const { url } = extraction.parse(expectStatus(await ask(), 200).json);
  const file = await fetch(url ?? "", { method: "HEAD" });
  expect(Number(file.headers.get("content-length"))).toBe(large);
});
