import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Tools that nobody here wrote, run as a person runs them. */

export type ToolRun = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs the tool to its end; `undefined` where this machine does not have it. */
export async function runTool(
  tool: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ToolRun | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(tool, parameters, { env: { ...process.env, ...environment } });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (error.code === "ENOENT") return undefined;
    const told = (name: string) => (name in error ? String(Reflect.get(error, name)) : "");
    return { code: Number(error.code), stdout: told("stdout"), stderr: told("stderr") };
  }
}
