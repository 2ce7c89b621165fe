import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inject } from "vitest";
import { type FakeIntakeOptions, startFakeIntake } from "./fakeIntake.ts";
import { temporaryFolder } from "./folder.ts";

const cli = join(import.meta.dirname, "../../../client/cli.ts");

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A folder with a registered stamp, the fake service, and the command line as its own process. */
export async function commandLine(
  named: FakeIntakeOptions = {},
  environment: Readonly<Record<string, string | undefined>> = {},
) {
  const stack = new AsyncDisposableStack();
  const intake = stack.use(await startFakeIntake(inject("storageConnectionString"), named));
  const folder = stack.use(await temporaryFolder());
  const local = join(folder.path, "local");

  function start(...words: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const env = {
      ...process.env,
      LOCAL_DIR: local,
      STAMP_INTAKE_ORIGIN: intake.origin,
      STAMP_INTAKE_TOKEN: "a-token",
      INIT_CWD: folder.path,
      ...environment,
    };
    const child = spawn(process.execPath, [cli, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
    stack.defer(() => void child.kill("SIGKILL"));
    const [stdout, stderr, exit] = [text(child.stdout), text(child.stderr), once(child, "close")];
    const ended = Promise.all([stdout, stderr, exit]).then(([out, err]) => ({
      code: child.exitCode,
      stdout: out,
      stderr: err,
    }));
    return { child, ended };
  }
  const run = (...words: string[]) => start(...words).ended;
  return { intake, folder, local, start, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
