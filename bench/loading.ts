import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Metafile } from "esbuild";
import { z } from "zod";
import { buildArtifact } from "../local/artifact.ts";
import { writeBundle } from "../local/bundle.ts";
import { openGround } from "./counting/countedApp.ts";
import { temporaryFolder } from "./folder.ts";
import { alternate, contender, medians, ratios } from "./rounds.ts";
import type { Sizes } from "./sizes.ts";
import { type Row, ratioRow } from "./table.ts";

/** What a cold start takes: the built files until they are ready ÷ a bundle of the packages alone, all that they hold, and those loaded at once. */

export async function measureLoading(
  undo: AsyncDisposableStack,
  { loadRounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  say("Loading the artifact");
  const folder = await temporaryFolder(undo);
  const { file, metafile } = await buildArtifact(join(folder, "artifact"));
  const { settings } = await openGround(undo);
  const environment = { ...settings, PUBLIC_ORIGIN: "http://127.0.0.1:7071" };
  const packages = importedPackages(metafile, ["import-statement", "dynamic-import"]);
  const atOnce = importedPackages(metafile, ["import-statement"]);
  const loading = (name: string, path: string) => contender(name, () => loadOnce(path, environment));
  const artifact = loading("artifact", file);
  const alone = loading("SDKs alone", await bundleOf(packages, join(folder, "sdks")));
  const aloneAtOnce = loading("SDKs loaded at once, alone", await bundleOf(atOnce, join(folder, "atOnce")));
  await alternate([artifact, alone, aloneAtOnce], loadRounds, say);
  return [
    ratioRow(
      "loading the built files until they are ready, in fresh processes without a compile cache ÷ a bundle of their SDKs alone",
      ratios(artifact, alone),
      `${medians(artifact, alone)}; ${packages.length} imports of packages`,
      { atMost: 1.3 },
    ),
    ratioRow(
      "the same ÷ a bundle of only the SDKs that are loaded at once",
      ratios(artifact, aloneAtOnce),
      `${medians(artifact, aloneAtOnce)}; ${atOnce.length} imports of packages`,
    ),
  ];
}

type Kind = Metafile["inputs"][string]["imports"][number]["kind"];

/** What our sources import of packages, as they write it, where each of them is reached by imports of these kinds. */
function importedPackages({ inputs }: Metafile, kinds: readonly Kind[]): string[] {
  const [packages, seen, waiting] = [new Set<string>(), new Set<string>(), ["functions/index.ts"]];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { path: imported, kind, original, external } of inputs[path]?.imports ?? []) {
      if (!kinds.includes(kind) || external === true) continue;
      if (original?.startsWith(".")) waiting.push(imported);
      else if (original !== undefined) packages.add(original);
    }
  }
  return [...packages].sort();
}

/** Built as the artifact is, of nothing but the packages, whole, and all of them loaded at once. */
async function bundleOf(packages: readonly string[], folder: string): Promise<string> {
  const imports = packages.map((name, index) => `import * as p${index} from ${JSON.stringify(name)};`);
  const kept = packages.map((_name, index) => `p${index}`).join(", ");
  const { files } = await writeBundle(`${imports.join("\n")}\nglobalThis.kept = [${kept}];\n`, folder);
  return join(folder, files[0]);
}

async function loadOnce(file: string, environment: Readonly<Record<string, string>>): Promise<number> {
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "loading", "loadOnce.ts"), file],
    { env: { PATH, NODE_DISABLE_COMPILE_CACHE: "1", ...environment } },
  );
  return z.coerce.number().parse(stdout.trim().split("\n").at(-1));
}
