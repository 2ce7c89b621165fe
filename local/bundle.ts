import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { type BuildOptions, build, type Metafile, type TransformOptions, transform } from "esbuild";
import { projectDirectory } from "./settings.ts";

/**
 * Bundles for Azure. What an entry reaches by `import()` is in files of its own, for a file is parsed whole when it is loaded. esbuild splits
 * modules of ECMAScript only, so they are bundled as such first, and each file is then turned into the CommonJS that the Functions worker loads.
 */

export type Bundle = {
  /** Paths of the files in the directory; the first is the one to load, the others are loaded by it. */
  readonly files: readonly [main: string, ...parts: readonly string[]];
  /** Which source and package files are in it, and what imports what. */
  readonly metafile: Metafile;
};

const mainFile = "main.cjs";
const parts = "parts";
/** Where esbuild believes that it writes: the names of parts have a digest of the source maps' paths in them, which must not tell places apart. */
const outdir = join(projectDirectory, "dist");

const common = {
  platform: "node",
  target: "node24",
  // Less to parse at a cold start; names stay, so that a stack tells the same.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcesContent: false,
} satisfies BuildOptions & TransformOptions;

/**
 * Writes `main.cjs`, which runs `source` as a module of the project, and its `parts` into `directory`, each with its source map. All packages are in them; `@azure/functions-core` stays outside,
 * because the Functions worker puts it in place at run time. The bytes depend on the sources alone, not on where they lie. Throws on any error
 * or warning of esbuild.
 */
export async function writeBundle(source: string, directory: string): Promise<Bundle> {
  const { outputFiles, metafile, warnings } = await build({
    ...common,
    absWorkingDir: projectDirectory,
    stdin: { contents: source, resolveDir: projectDirectory, sourcefile: "main.ts" },
    outdir,
    entryNames: "main",
    chunkNames: `${parts}/[name]-[hash]`,
    outExtension: { ".js": ".cjs" },
    write: false,
    bundle: true,
    format: "esm",
    splitting: true,
    // `jsonc-parser` has a `main` whose own requires no bundler can follow.
    mainFields: ["module", "main"],
    external: ["@azure/functions-core"],
    // A linked node_modules would put the link's target into the file.
    preserveSymlinks: true,
    keepNames: true,
    sourcemap: "inline",
    metafile: true,
    logLevel: "warning",
  });
  if (warnings.length > 0) throw new Error(`The build gave ${warnings.length} warnings.`);
  await rm(join(directory, parts), { recursive: true, force: true });
  await mkdir(join(directory, parts), { recursive: true });
  const written = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const file = relative(outdir, path);
      await writeAsCommonJs(text, join(directory, file));
      return file;
    }),
  );
  return { files: [mainFile, ...written.filter((file) => file !== mainFile).sort()], metafile };
}

async function writeAsCommonJs(text: string, path: string): Promise<void> {
  const { code, map } = await transform(text, {
    ...common,
    format: "cjs",
    sourcefile: basename(path),
    sourcemap: "external",
    // `require` is loaded already; `import()` would load Node's other loader first.
    supported: { "dynamic-import": false },
    // `open`, of a way to sign in that no server takes, asks where it lies and can do without.
    logOverride: { "empty-import-meta": "silent" },
    logLevel: "warning",
  });
  await writeFile(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`);
  await writeFile(`${path}.map`, map);
}
