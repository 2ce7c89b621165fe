import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { z } from "zod";
import { projectDirectory } from "./settings.ts";

/**
 * The bill of materials of the built file (CycloneDX 1.6): the packages that esbuild took a file of, with what the lockfile says of
 * them. `npm sbom --omit dev` leaves out whatever development uses as well, zod and @azure/identity among it, and lists what no
 * function imports.
 */

const locked = z.object({
  name: z.string().optional(),
  version: z.string(),
  license: z.string().optional(),
  integrity: z.templateLiteral(["sha512-", z.base64()]).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
});
type Locked = z.infer<typeof locked>;
const lockfile = z.object({ packages: z.record(z.string(), z.unknown()) });

type Package = { readonly folder: string; readonly name: string; readonly ref: string; readonly locked: Locked };

/** The same sources and lockfile give the same document: it has no date, serial number or place. Throws for a package that is not locked. */
export async function billOfMaterials(metafile: Metafile): Promise<object> {
  const all = lockfile.parse(JSON.parse(await readFile(join(projectDirectory, "package-lock.json"), "utf8"))).packages;
  const packages = packagesIn(metafile).map((folder) => packageAt(folder, all[folder]));
  const product = packageAt("", all[""]);
  const places = new Map(packages.map((each) => [each.folder, each.ref]));
  const unique = [...new Map(packages.map((each) => [each.ref, each])).values()].sort(byRef);
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", ...described(product) } },
    components: unique.map((each) => ({ type: "library", ...described(each) })),
    dependencies: [product, ...unique].map((each) => ({ ref: each.ref, dependsOn: dependenciesOf(each, places) })),
  };
}

/** A package's own folder in the path of one of its files: the last `node_modules/<name>` counts, for packages nest. */
const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/** The folder of every package that has a file in the bundle, as the lockfile writes it. */
export const packagesIn = (metafile: Metafile): readonly string[] => [
  ...new Set(Object.keys(metafile.inputs).flatMap((path) => packageFolder.exec(path)?.[0] ?? [])),
];

function packageAt(folder: string, entry: unknown): Package {
  const parsed = locked.safeParse(entry);
  if (!parsed.success) throw new Error(`package-lock.json says nothing of ${folder}, which is in the bundle.`);
  const name = parsed.data.name ?? folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  return { folder, name, ref: `${name}@${parsed.data.version}`, locked: parsed.data };
}

const described = ({ name, ref, locked: { version, license, integrity } }: Package): object => ({
  "bom-ref": ref,
  name,
  version,
  purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
  ...(integrity === undefined ? {} : { hashes: [{ alg: "SHA-512", content: hexOf(integrity) }] }),
});

const licenseOf = (license: string): object =>
  /^[\w.+-]+$/.test(license) ? { license: { id: license } } : { expression: license };

const hexOf = (integrity: string): string => Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");

/** What it needs of what is in the bundle, each found as Node finds it: in the nearest `node_modules` upwards. */
function dependenciesOf({ folder, locked: { dependencies } }: Package, places: ReadonlyMap<string, string>): string[] {
  const found = Object.keys(dependencies).flatMap((name) => {
    const place = upwards(folder).find((from) => places.has(`${from}node_modules/${name}`));
    return place === undefined ? [] : (places.get(`${place}node_modules/${name}`) ?? []);
  });
  return found.sort();
}

/** `a/node_modules/b` gives `a/node_modules/b/`, `a/` and the top. */
function upwards(folder: string): readonly string[] {
  if (folder === "") return [""];
  const parent = folder.slice(0, folder.lastIndexOf("node_modules/")).replace(/\/$/, "");
  return [`${folder}/`, ...upwards(parent)];
}

const byRef = (one: Package, other: Package): number => (one.ref < other.ref ? -1 : 1);
