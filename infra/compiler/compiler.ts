import { execFile } from "node:child_process";
import { access, chmod, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where the Bicep compiler comes from: `bicep` on the PATH, or its NuGet package, restored once into `obj/`. */

type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };
/** The compiler runs in `infra/`, so relative paths and patterns start there. */
export type Compiler = { readonly origin: string; readonly run: (...args: readonly string[]) => Promise<Outcome> };

/** `bicep snapshot` is stable from this version on. */
const oldestVersion = [0, 41, 0] as const;

const project = join(import.meta.dirname, "compiler.csproj");
const packageName = "Azure.Bicep.CommandLine.linux-x64";

/** What `main.bicepparam` reads from the environment, and what lets the compiler run on a machine without ICU. */
const environment = {
  ...process.env,
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1",
  DOTNET_CLI_TELEMETRY_OPTOUT: "1",
  DOTNET_NOLOGO: "1",
  AZURE_ENV_NAME: "check",
  AZURE_LOCATION: "westeurope",
  TOKEN_AUDIENCE: "11111111-1111-4111-8111-111111111111",
  ALERT_EMAIL: "on-call@example.com",
};

/** Finds a compiler, fetching the package if it must. Throws an `Error` that says what was tried where there is none. */
export async function findCompiler(): Promise<Compiler> {
  const onPath = await usable("bicep", "the PATH");
  if (typeof onPath !== "string") return onPath;
  const packaged = await restoredPackage();
  if (typeof packaged !== "string") return packaged;
  throw new Error(
    `No Bicep compiler, so nothing here was checked.\n  On the PATH: ${onPath}\n  From NuGet: ${packaged}\n` +
      "Install bicep 0.41 or later, or the .NET SDK 8 or later with a NuGet source, and run this again.",
  );
}

/** The compiler that this file is, or why it is of no use. */
async function usable(file: string, origin: string): Promise<Compiler | string> {
  const version = await run(file, ["--version"]);
  if (version.code !== 0) return version.stderr.trim() || `${file} --version ended with ${version.code}`;
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(version.stdout)?.slice(1).map(Number) ?? [];
  if (!isRecent(found)) return `version ${found.join(".")} is older than ${oldestVersion.join(".")}`;
  return { origin: `bicep ${found.join(".")} from ${origin}`, run: (...args) => run(file, args) };
}

const isRecent = (found: readonly number[]): boolean => {
  const at = oldestVersion.findIndex((part, index) => part !== found[index]);
  return at === -1 || (found[at] ?? -1) > (oldestVersion[at] ?? 0);
};

async function restoredPackage(): Promise<Compiler | string> {
  if (process.platform !== "linux" || process.arch !== "x64") return `${packageName} runs on linux-x64 only`;
  const folder = await packageFolder();
  // NuGet writes this file last: without it a restore was cut short.
  if (!(await exists(join(folder, ".nupkg.metadata")))) {
    const restore = await run("dotnet", ["restore", project]);
    if (restore.code !== 0) return (restore.stderr || restore.stdout).trim();
  }
  const file = join(folder, "tools", "bicep");
  await chmod(file, 0o755);
  return usable(file, packageName);
}

async function packageFolder(): Promise<string> {
  const version = /Version="\[(.+?)\]"/.exec(await readFile(project, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${project}: pins no version of ${packageName}`);
  return join(import.meta.dirname, "obj", "packages", packageName.toLowerCase(), version);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Runs a program to its end; one that cannot be started counts as failed, with the reason on `stderr`. */
const run = (file: string, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      { cwd: join(import.meta.dirname, ".."), env: environment, maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else
          resolve({ code: typeof error.code === "number" ? error.code : 1, stdout, stderr: stderr || error.message });
      },
    );
  });
