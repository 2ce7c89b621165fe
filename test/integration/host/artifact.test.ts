import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { buildArtifact } from "../../../local/artifact.ts";
import { readHostJson } from "../../../local/host/hostJson.ts";

/** The one file that Azure runs is the sources, neither more nor less. */

const root = resolve(import.meta.dirname, "../../..");
const registered = z.object({
  functions: z.array(
    z.looseObject({ name: z.string(), bindings: z.record(z.string(), z.looseObject({ type: z.string() })) }),
  ),
  hooks: z.record(z.string(), z.number()),
});

/** Loads an app in a process of its own, with the stand-in core and no setting. */
async function registrationsOf(entry: string): Promise<z.infer<typeof registered>> {
  const script = join(root, "test/support/host-app/registrations.ts");
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [script, entry], { env: { PATH } });
  return registered.parse(JSON.parse(stdout));
}

let directory: string;
let artifact: string;
beforeAll(async () => {
  // Outside the checkout, so that a module that was left out of the bundle is not found by chance.
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-artifact-"));
  ({ file: artifact } = await buildArtifact(directory));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("the build writes one file and its source map", async () => {
  expect((await readdir(directory)).toSorted()).toEqual(["main.cjs", "main.cjs.map"]);
  expect(await readFile(artifact, "utf8")).toMatch(/\/\/# sourceMappingURL=main\.cjs\.map\s*$/);
});

test("the built file registers what the sources register: names, bindings, options, hooks", async () => {
  const [built, sources] = await Promise.all([
    registrationsOf(artifact),
    registrationsOf(join(root, "functions/index.ts")),
  ]);
  expect(sources.functions.length).toBeGreaterThan(0);
  expect(built).toEqual(sources);
});

test("neither a path of this machine nor a source's text is in it", async () => {
  expect((await readFile(artifact, "utf8")).includes(root)).toBe(false);
  expect(Object.keys(JSON.parse(await readFile(`${artifact}.map`, "utf8")))).not.toContain("sourcesContent");
});

test("package.json names the built file, and host.json is one for version 4 with no route prefix", async () => {
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  expect(manifest).toMatchObject({ main: "dist/main.cjs" });
  const { extensions, extensionBundle } = await readHostJson(join(root, "host.json"));
  expect(extensions.http.routePrefix).toBe("");
  expect(extensions.queues).toMatchObject({
    batchSize: 1,
    newBatchThreshold: 0,
    maxDequeueCount: 5,
    visibilityTimeout: 30_000,
  });
  expect(extensionBundle).toEqual({ id: "Microsoft.Azure.Functions.ExtensionBundle", version: "[4.*, 5.0.0)" });
});
