import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The stamp's command line as a process of its own, as a person or a script runs it. */

export const stampScript = join(import.meta.dirname, "../../../client/cli.ts");

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type Started = {
  readonly ended: Promise<Ended>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves once standard error has that. */
  readonly told: (words: RegExp) => Promise<void>;
};

export type Machine = {
  /** `LOCAL_DIR`: the stamp that it plays, or none. */
  readonly local: string;
  /** Where commands are typed. */
  readonly folder: string;
  readonly origin: string;
  readonly token?: string;
};

/** Starts `stamp <words>` on the machine; `fileBlocks` limits the size of what it may write, in units of 1,024 bytes. */
export function startStamp(machine: Machine, words: readonly string[], fileBlocks?: number): Started {
  const { local, folder, origin, token = "" } = machine;
  const command = [process.execPath, stampScript, ...words];
  const limited = ["-c", `ulimit -f ${fileBlocks}; exec "$@"`, "bash", ...command];
  const [file = "", ...rest] = fileBlocks === undefined ? command : ["bash", ...limited];
  const child = spawn(file, rest, {
    env: { ...process.env, LOCAL_DIR: local, STAMP_INTAKE_ORIGIN: origin, STAMP_INTAKE_TOKEN: token, INIT_CWD: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  const [stdout, closed] = [text(child.stdout), once(child, "close")];
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString("utf8");
  });
  return {
    kill: (signal) => void child.kill(signal),
    ended: Promise.all([stdout, closed]).then(([out]) => ({ code: child.exitCode, stdout: out, stderr: errors })),
    told: (words) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (words.test(errors)) resolve();
        };
        child.stderr.on("data", look);
        child.once("close", () => reject(new Error(`It ended without ${words}: ${errors}`)));
        look();
      }),
  };
}
