import { join } from "node:path";
import { build } from "esbuild";
import { projectDirectory } from "./settings.ts";

/**
 * Bundles the functions into one file for Azure, `main.cjs` in `directory`, with its source map, and gives the file's path.
 * The whole app is in it, the SDKs too: they load twice as fast bundled. `@azure/functions-core` stays outside, because the
 * Functions worker puts it in place at run time. Throws on any error or warning of esbuild.
 */
export async function buildArtifact(directory: string): Promise<string> {
  const outfile = join(directory, "main.cjs");
  const { warnings } = await build({
    entryPoints: [join(projectDirectory, "functions/index.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // `jsonc-parser` has a `main` whose own requires no bundler can follow.
    mainFields: ["module", "main"],
    external: ["@azure/functions-core"],
    sourcemap: true,
    sourcesContent: false,
    keepNames: true,
    logLevel: "warning",
  });
  if (warnings.length > 0) throw new Error(`The build gave ${warnings.length} warnings.`);
  return outfile;
}
