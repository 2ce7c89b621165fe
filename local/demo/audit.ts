import { execFile } from "node:child_process";
import { join } from "node:path";

/** `npm run audit` against the demo's own service: what it printed, line by line, and how it ended. */
export const audit = (folder: string, ...parameters: readonly string[]): Promise<Audited> =>
  new Promise((done) => {
    const command = [join(import.meta.dirname, "../../audit/cli.ts"), ...parameters];
    const child = execFile(
      process.execPath,
      command,
      { env: { ...process.env, LOCAL_DIR: folder } },
      (_, out, complaint) => done({ exitCode: child.exitCode, lines: `${out}${complaint}`.trimEnd().split("\n") }),
    );
  });

export type Audited = { readonly exitCode: number | null; readonly lines: readonly string[] };
