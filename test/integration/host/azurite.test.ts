import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterEach, expect, test } from "vitest";
import { isAlive } from "../../../local/processes.ts";
import {
  azuritePid,
  beginService,
  cleanUp,
  makeDirectory,
  type RunningService,
  startService,
} from "../../support/host-app/process.ts";
import { until } from "../../support/until.ts";

/** Azurite inside: a process of its own, whose state survives whatever happens to the service. */

afterEach(cleanUp);

async function storageOf(service: RunningService): Promise<BlobServiceClient> {
  const answer = await fetch(`${service.origin}/settings/StateStorage`);
  return BlobServiceClient.fromConnectionString(String(await answer.json()));
}

async function write(service: RunningService, text: string): Promise<void> {
  const container = (await storageOf(service)).getContainerClient("kept");
  await container.createIfNotExists();
  await container.getBlockBlobClient(text).upload(text, text.length);
}

async function has(service: RunningService, text: string): Promise<boolean> {
  const blob = (await storageOf(service)).getContainerClient("kept").getBlockBlobClient(text);
  return (await blob.exists()) && (await blob.downloadToBuffer()).toString() === text;
}

async function kill(service: RunningService): Promise<void> {
  service.child.kill("SIGKILL");
  await service.exitCode();
}

async function pidOf(service: RunningService): Promise<number> {
  const pid = await azuritePid(service.directory);
  if (pid === undefined) throw new Error("There is no azurite.json.");
  return pid;
}

test("a stop ends Azurite too, and the next start has what was written", async () => {
  const first = await startService(await makeDirectory());
  const pid = await pidOf(first);
  await write(first, "before");
  expect(await first.stop()).toBe(0);
  expect(isAlive(pid)).toBe(false);
  const second = await startService(first.directory);
  expect(await has(second, "before")).toBe(true);
});

test("two signals to the service are one to Azurite: nothing is lost", async () => {
  const first = await startService(await makeDirectory());
  await write(first, "before");
  first.child.kill("SIGINT");
  first.child.kill("SIGTERM");
  expect(await first.exitCode()).toBe(0);
  const second = await startService(first.directory);
  expect(await has(second, "before")).toBe(true);
});

test("it outlives a killed service, and the next start goes on with it: what was acknowledged is there", async () => {
  const first = await startService(await makeDirectory());
  const pid = await pidOf(first);
  await write(first, "just before");
  await kill(first);
  expect(isAlive(pid)).toBe(true);
  const second = await startService(first.directory);
  expect(await pidOf(second)).toBe(pid);
  expect(await has(second, "just before")).toBe(true);
  expect(await second.stop()).toBe(0);
  expect(isAlive(pid)).toBe(false);
});

test("one that died too is started anew", async () => {
  const first = await startService(await makeDirectory());
  const pid = await pidOf(first);
  await kill(first);
  process.kill(pid, "SIGKILL");
  await until("it to be gone", () => !isAlive(pid));
  const second = await startService(first.directory);
  expect(await pidOf(second)).not.toBe(pid);
});

test("another process that has its id and its ports by now is neither used nor ended", async () => {
  const directory = await makeDirectory();
  const stranger = createServer((_, response) => response.setHeader("Server", "Azurite-Queue/3.37.0").end());
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  const address = stranger.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await writeFile(join(directory, "azurite.json"), JSON.stringify({ pid: process.pid }));
  const lines = ["Blob", "Queue", "Table"].map(
    (each) => `Azurite ${each} service is successfully listening at http://127.0.0.1:${port}`,
  );
  await writeFile(join(directory, "azurite.log"), lines.join("\n"));
  const service = await startService(directory);
  expect(await pidOf(service)).not.toBe(process.pid);
  await write(service, randomUUID());
  expect(await readFile(join(directory, "azurite.log"), "utf8")).not.toContain(`:${port}\n`);
  stranger.close();
});

test("two services side by side have storage of their own", async () => {
  const [first, second] = await Promise.all([startService(await makeDirectory()), startService(await makeDirectory())]);
  await write(first, "mine");
  await write(second, "yours");
  expect(await has(second, "mine")).toBe(false);
  await first.stop();
  expect(await has(second, "yours")).toBe(true);
});

test("one that is still starting when its service is killed is waited for, not doubled", async () => {
  const directory = await makeDirectory();
  const first = beginService(directory);
  const pid = await until("azurite.json", () => azuritePid(directory));
  first.child.kill("SIGKILL");
  const second = await startService(directory);
  expect(await pidOf(second)).toBe(pid);
});
