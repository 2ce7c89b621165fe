import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openPromise } from "yauzl";
import { z } from "zod";
import { buildArtifact } from "../../../local/artifact.ts";
import { type Deployable, packDeployable } from "../../../local/deployable.ts";
import { packagesIn } from "../../../local/sbom.ts";
import { cleanUp, makeDirectory, startService } from "../../support/host-app/process.ts";

/** The zip that is deployed: what is in it, that it is the same each time, and that it runs. */

const root = resolve(import.meta.dirname, "../../..");

let directory: string;
let deployable: Deployable;
let metafile: Metafile;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-package-"));
  deployable = await packDeployable(join(directory, "one"));
  ({ metafile } = await buildArtifact(join(directory, "two")));
});
afterAll(async () => {
  await cleanUp();
  await rm(directory, { recursive: true, force: true });
});

async function unpack(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const zip = await openPromise(path, { lazyEntries: true });
  const files = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry()) {
    files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
  }
  return files;
}

const digestOf = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

test("the zip holds the built files, host.json, a package.json that needs nothing installed, and its bill of materials", async () => {
  const files = await unpack(deployable.zip);
  const parts = (await readdir(join(directory, "one/parts"))).filter((name) => name.endsWith(".cjs")).toSorted();
  const built = ["main.cjs", ...parts.map((name) => `parts/${name}`)];
  expect(parts.length).toBeGreaterThan(0);
  expect([...files.keys()]).toEqual([
    ...built.map((name) => `dist/${name}`),
    "host.json",
    "package.json",
    "sbom.cdx.json",
  ]);
  for (const name of built)
    expect(files.get(`dist/${name}`), name).toEqual(await readFile(join(directory, "one", name)));
  expect(files.get("host.json")).toEqual(await readFile(join(root, "host.json")));
  expect(files.get("sbom.cdx.json")).toEqual(await readFile(deployable.bom));
  expect(JSON.parse(String(files.get("package.json")))).toEqual({
    name: "stamp-intake",
    version: "0.1.0",
    license: "MIT",
    private: true,
    main: "dist/main.cjs",
  });
});

test("the same sources give the same bytes: later, in another place, in another time zone", async () => {
  const checkout = join(directory, "elsewhere/another-name");
  for (const part of [
    "functions",
    "shared",
    "terms",
    "local",
    "host.json",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
  ]) {
    await cp(join(root, part), join(checkout, part), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(checkout, "node_modules"));
  const { PATH = "" } = process.env;
  await promisify(execFile)(process.execPath, [join(checkout, "local/package.ts")], {
    cwd: directory,
    env: { PATH, TZ: "Asia/Kathmandu" },
  });
  expect(await digestOf(join(checkout, "dist/stamp-intake.zip"))).toBe(await digestOf(deployable.zip));
  expect(await digestOf(join(checkout, "dist/sbom.cdx.json"))).toBe(await digestOf(deployable.bom));
});

test("what is in the zip starts and answers, with nothing installed beside it", async () => {
  const unpacked = join(directory, "unpacked");
  for (const [name, content] of await unpack(deployable.zip)) {
    await mkdir(dirname(join(unpacked, name)), { recursive: true });
    await writeFile(join(unpacked, name), content);
  }
  const service = await startService(await makeDirectory(), {
    AzureWebJobsStorage: inject("storageConnectionString"),
    STAMP_INTAKE_ARTIFACT: join(unpacked, "dist/main.cjs"),
  });
  const answer = await fetch(`${service.origin}/health`);
  expect(answer.status).toBe(200);
  expect(await service.stop()).toBe(0);
});

test.each(["intake", "access"] as const)(
  "the same package runs as %s: it registers what infra/functions.json says, and no more",
  async (app) => {
    const expected = z
      .record(z.string(), z.array(z.string()))
      .parse(JSON.parse(await readFile(join(root, "infra/functions.json"), "utf8")))[app];
    const service = await startService(await makeDirectory(), {
      AzureWebJobsStorage: inject("storageConnectionString"),
      STAMP_INTAKE_ARTIFACT: join(directory, "one/main.cjs"),
      APP_ROLE: app,
      OTHER_APP_ORIGIN: "https://other.example.com",
    });
    const codeOf = async (method: string, path: string) =>
      (await fetch(`${service.origin}${path}?api-version=2026-11-01`, { method })).headers.get("x-ms-error-code");
    const stamp = "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11";
    const rotate = await codeOf("POST", `${stamp}:rotateKey`);
    const cases = await codeOf("GET", "/cases");
    expect([rotate, cases]).toEqual(app === "intake" ? ["SignatureMissing", "NotFound"] : ["NotFound", "TokenMissing"]);
    const listed = z
      .array(z.object({ name: z.string() }))
      .parse(await (await fetch(`${service.origin}/admin/functions`)).json())
      .map(({ name }) => name);
    expect(listed).toEqual(expected);
    expect((await fetch(`${service.origin}/health`)).status).toBe(200);
    expect(await service.stop()).toBe(0);
  },
);

test("the bill of materials names each package of the built files, with version, licence and hash, and no other", async () => {
  const bill = z
    .object({
      bomFormat: z.literal("CycloneDX"),
      components: z.array(
        z.object({
          "bom-ref": z.string(),
          purl: z.string().startsWith("pkg:npm/"),
          version: z.string(),
          licenses: z.array(z.unknown()).min(1),
          hashes: z.array(z.object({ alg: z.literal("SHA-512"), content: z.string().length(128) })).min(1),
          type: z.literal("library"),
          name: z.string(),
        }),
      ),
      dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
    })
    .parse(JSON.parse(await readFile(deployable.bom, "utf8")));
  const names = packagesIn(metafile).map((folder) => folder.split("node_modules/").at(-1));
  expect(new Set(bill.components.map(({ name }) => name))).toEqual(new Set(names));
  const refs = new Set(bill.components.map((each) => each["bom-ref"]));
  for (const { dependsOn } of bill.dependencies) for (const ref of dependsOn) expect(refs).toContain(ref);
  expect(bill.dependencies.flatMap(({ dependsOn }) => dependsOn)).toContain("@azure/identity@4.14.1");
});

test("the files that are loaded at a start hold only the packages that most invocations need", () => {
  expect(packagesOurSourcesImport(metafile, filesAtStart(metafile))).toEqual([
    "@azure/core-rest-pipeline",
    "@azure/data-tables",
    "@azure/functions",
    "@azure/storage-blob",
    "canonicalize",
    "jose",
    "jsonc-parser",
    "structured-headers",
    "yauzl",
    "zod",
  ]);
  for (const lazy of [
    "@azure/identity",
    "@azure/msal-node",
    "@azure/keyvault-keys",
    "@azure/storage-queue",
    "@azure/arm-storage",
    "@opentelemetry/api",
    "@opentelemetry/sdk-metrics",
    "@opentelemetry/sdk-trace",
    "@opentelemetry/exporter-trace-otlp-http",
    "zod-openapi",
  ]) {
    const has = (files: readonly string[]) => files.some((path) => path.includes(`node_modules/${lazy}/`));
    expect([has(filesAtStart(metafile)), has(Object.keys(metafile.inputs))], lazy).toEqual([false, true]);
  }
});

test("zod's texts in other languages are left out", () => {
  const bytes = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) =>
      path.includes("/zod/v4/locales/") && !path.endsWith("/en.js") ? [bytesInOutput] : [],
    ),
  );
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBe(0);
});

/** The source and package files that are in `main.cjs` and in the parts that it loads before anything is asked of it. */
function filesAtStart({ outputs }: Metafile): readonly string[] {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === "import-statement") visit(next);
  };
  visit("dist/main.cjs");
  return [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

/** As the sources write it. */
function packagesOurSourcesImport({ inputs }: Metafile, files: readonly string[]): readonly string[] {
  const imported = files
    .filter((path) => !path.includes("node_modules/"))
    .flatMap((path) => inputs[path]?.imports ?? [])
    .flatMap(({ kind, original }) => (kind === "import-statement" && original !== undefined ? [original] : []));
  return [...new Set(imported.filter((name) => !name.startsWith(".")))].toSorted();
}
