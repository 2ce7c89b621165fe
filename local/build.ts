import { join, resolve } from "node:path";
import { build } from "esbuild";

/**
 * `npm run build`: one file for Azure, `dist/main.cjs`, with its source map. The whole app is in it, the SDKs too: they load twice
 * as fast bundled. `@azure/functions-core` stays outside, because the Functions worker puts it in place at run time.
 */

const root = resolve(import.meta.dirname, "..");

/** Bundles the functions into `main.cjs` in `directory`, and gives the file's path. Throws on any error or warning of esbuild. */
export async function buildArtifact(directory: string): Promise<string> {
  const outfile = join(directory, "main.cjs");
  const { warnings } = await build({
    entryPoints: [join(root, "functions/index.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    external: ["@azure/functions-core"],
    sourcemap: true,
    sourcesContent: false,
    keepNames: true,
    logLevel: "warning",
  });
  if (warnings.length > 0) throw new Error(`The build gave ${warnings.length} warnings.`);
  return outfile;
}

if (import.meta.main) await buildArtifact(join(root, "dist"));
