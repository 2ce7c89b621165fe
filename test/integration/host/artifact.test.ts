import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { buildArtifact } from "../../../local/artifact.ts";
import { readHostJson } from "../../../local/host/hostJson.ts";

/** The files that Azure runs are the sources, neither more nor less. */

const root = resolve(import.meta.dirname, "../../..");
const registered = z.object({
  functions: z.array(
    z.looseObject({ name: z.string(), bindings: z.record(z.string(), z.looseObject({ type: z.string() })) }),
  ),
  hooks: z.record(z.string(), z.number()),
});

const sourceMap = z.object({ sources: z.array(z.string()) });

/** Loads an app in a process of its own, with the stand-in core and no setting. */
async function registrationsOf(entry: string): Promise<z.infer<typeof registered>> {
  const script = join(root, "test/support/host-app/registrations.ts");
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [script, entry], { env: { PATH } });
  return registered.parse(JSON.parse(stdout));
}

let directory: string;
let artifact: string;
let files: readonly string[];
beforeAll(async () => {
  // Outside the checkout, so that a module that was left out of the bundle is not found by chance.
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-artifact-"));
  ({ file: artifact, files } = await buildArtifact(directory));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("the build writes main.cjs and parts, each with its source map, and leaves no part of an earlier build", async () => {
  await writeFile(join(directory, "parts/old.cjs"), "");
  const { files: again } = await buildArtifact(directory);
  expect(again).toEqual(files);
  expect(files[0]).toBe("main.cjs");
  const written = (await readdir(directory, { recursive: true })).filter((name) => name.includes("."));
  expect(written.toSorted()).toEqual(files.flatMap((name) => [name, `${name}.map`]).toSorted());
  for (const name of files) {
    const text = await readFile(join(directory, name), "utf8");
    expect(text.trimEnd().split("\n").at(-1)).toBe(`//# sourceMappingURL=${basename(name)}.map`);
  }
});

test("every part loads in a process of its own", async () => {
  const { PATH = "" } = process.env;
  for (const part of files.slice(1)) {
    const { stderr } = await promisify(execFile)(process.execPath, [join(directory, part)], { env: { PATH } });
    expect(stderr, part).toBe("");
  }
});

test("the source maps of dist lead to the sources", async () => {
  for (const name of files) {
    const { sources } = sourceMap.parse(JSON.parse(await readFile(join(directory, `${name}.map`), "utf8")));
    const ours = sources.filter((path) => path.startsWith("../") && !path.includes("node_modules/"));
    for (const path of ours) await access(resolve(root, "dist", dirname(name), path));
    if (name === "main.cjs") expect(ours).toContain("../functions/running.ts");
  }
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
  for (const name of files) {
    expect((await readFile(join(directory, name), "utf8")).includes(root), name).toBe(false);
    const map = await readFile(join(directory, `${name}.map`), "utf8");
    expect(map.includes(root), name).toBe(false);
    expect(Object.keys(JSON.parse(map)), name).not.toContain("sourcesContent");
  }
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
