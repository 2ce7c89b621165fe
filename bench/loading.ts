import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, type Metafile } from "esbuild";
import { z } from "zod";
import { buildArtifact } from "../local/artifact.ts";
import { openGround } from "./counting/countedApp.ts";
import { temporaryFolder } from "./folder.ts";
import { alternate, contender, medians, ratios } from "./rounds.ts";
import type { Sizes } from "./sizes.ts";
import { type Row, ratioRow } from "./table.ts";

/** What a cold start adds to the SDKs that it cannot do without: the built file until it is ready ÷ a bundle of those packages alone. */

const root = join(import.meta.dirname, "..");

export async function measureLoading(
  undo: AsyncDisposableStack,
  { loadRounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  say("Loading the artifact");
  const folder = await temporaryFolder(undo);
  const { file, metafile } = await buildArtifact(folder);
  const packages = eagerPackages(metafile);
  const sdks = await bundleOf(packages, folder);
  const { settings } = await openGround(undo);
  const environment = { ...settings, PUBLIC_ORIGIN: "http://127.0.0.1:7071" };
  const artifact = contender("artifact", () => loadOnce(file, environment));
  const alone = contender("SDKs alone", () => loadOnce(sdks, environment));
  await alternate([artifact, alone], loadRounds, say);
  return [
    ratioRow(
      "loading the built file until it is ready, in fresh processes without a compile cache ÷ a bundle of the packages that it loads at once, alone",
      ratios(artifact, alone),
      `${medians(artifact, alone)}; ${packages.length} packages`,
      { atMost: 1.3 },
    ),
  ];
}

/** The packages that the sources import in so many words; what is reached by `import()` is not loaded at the start. */
function eagerPackages({ inputs }: Metafile): string[] {
  const [packages, seen, waiting] = [new Set<string>(), new Set<string>(), ["functions/index.ts"]];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { path: imported, kind, original, external } of inputs[path]?.imports ?? []) {
      if (kind !== "import-statement" || external === true) continue;
      if (original?.startsWith(".")) waiting.push(imported);
      else if (original !== undefined) packages.add(original);
    }
  }
  return [...packages].sort();
}

/** Built as the artifact is, of nothing but the packages. */
async function bundleOf(packages: readonly string[], folder: string): Promise<string> {
  const outfile = join(folder, "sdks.cjs");
  const imports = packages.map((name, index) => `import * as p${index} from ${JSON.stringify(name)};`);
  const kept = packages.map((_name, index) => `p${index}`).join(", ");
  await build({
    absWorkingDir: root,
    stdin: { contents: `${imports.join("\n")}\nglobalThis.kept = [${kept}];\n`, resolveDir: root },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    mainFields: ["module", "main"],
    external: ["@azure/functions-core"],
    preserveSymlinks: true,
    keepNames: true,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "error",
  });
  return outfile;
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
