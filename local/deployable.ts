import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { z } from "zod";
import { buildArtifact } from "./artifact.ts";
import { billOfMaterials } from "./sbom.ts";
import { projectDirectory } from "./settings.ts";

/** The zip that both function apps run. */

export type Deployable = { readonly zip: string; readonly bom: string };

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string(), main: z.string() });

/** One date for every entry, of no meaning: a zip cannot be without. */
const mtime = new Date("2020-01-01T00:00:00Z");
/** As the DOS field has no time zone and yazl writes the machine's own, the moment above is moved to read the same everywhere. */
const sameEverywhere = new Date(mtime.getTime() + mtime.getTimezoneOffset() * 60_000);

/**
 * Builds `main.cjs` and its parts and packs them into `stamp-intake.zip` in `directory`, with host.json, the least package.json, and the bill
 * of materials, which also stands beside it. Nothing is installed from it: the SDKs are in the built files. The same sources give the same
 * bytes.
 */
export async function packDeployable(directory: string): Promise<Deployable> {
  await mkdir(directory, { recursive: true });
  const { files, metafile } = await buildArtifact(directory);
  const { main, ...about } = manifest.parse(JSON.parse(await readFile(join(projectDirectory, "package.json"), "utf8")));
  const bom = text(await billOfMaterials(metafile));
  const built = files.map(async (file) => [join(dirname(main), file), await readFile(join(directory, file))] as const);
  const entries: readonly (readonly [name: string, content: Buffer])[] = [
    ...(await Promise.all(built)),
    ["host.json", await readFile(join(projectDirectory, "host.json"))],
    ["package.json", text({ ...about, private: true, main })],
    ["sbom.cdx.json", bom],
  ];
  const made = { zip: join(directory, "stamp-intake.zip"), bom: join(directory, "sbom.cdx.json") };
  await writeFile(made.bom, bom);
  await writeZip(made.zip, entries);
  return made;
}

const text = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

async function writeZip(path: string, entries: readonly (readonly [name: string, content: Buffer])[]): Promise<void> {
  const zip = new ZipFile();
  const written = pipeline(zip.outputStream, createWriteStream(path));
  for (const [name, content] of entries) {
    zip.addBuffer(content, name, { mtime: sameEverywhere, mode: 0o100_644, forceDosTimestamp: true });
  }
  zip.end();
  await written;
}
