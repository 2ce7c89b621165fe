import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { projectDirectory } from "./settings.ts";

export type Artifact = {
  /** Path of the built file. */
  readonly file: string;
  /** Which source and package files are in it, and what imports what. */
  readonly metafile: Metafile;
};

/**
 * Bundles the functions into one file for Azure, `main.cjs` in `directory`, with its source map. The whole app is in it, the
 * SDKs too: they load twice as fast bundled, and what is only reached by `import()` runs when it is first asked for.
 * `@azure/functions-core` stays outside, because the Functions worker puts it in place at run time. The file's bytes depend on
 * the sources alone, not on where they lie. Throws on any error or warning of esbuild.
 */
export async function buildArtifact(directory: string): Promise<Artifact> {
  const file = join(directory, "main.cjs");
  const { warnings, metafile } = await build({
    absWorkingDir: projectDirectory,
    entryPoints: ["functions/index.ts"],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // `jsonc-parser` has a `main` whose own requires no bundler can follow.
    mainFields: ["module", "main"],
    external: ["@azure/functions-core"],
    // A linked node_modules would put the link's target into the file.
    preserveSymlinks: true,
    sourcemap: true,
    sourcesContent: false,
    keepNames: true,
    // Less to parse at a cold start; names stay, so that a stack tells the same.
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    logLevel: "warning",
  });
  if (warnings.length > 0) throw new Error(`The build gave ${warnings.length} warnings.`);
  return { file, metafile };
}
