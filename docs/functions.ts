import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { type AppName, type AppRole, appNames } from "../shared/apps.ts";

/** `infra/functions.json`: what each app registers, for whoever asks by app and function (alerts, queries, reviewers). */

const root = join(import.meta.dirname, "..");
const printed = z.object({ functions: z.array(z.object({ name: z.string() })) });

/** In a process of its own: what is registered depends on the settings that it starts with. */
export async function functionsOf(role: AppRole): Promise<readonly string[]> {
  const script = join(root, "test/support/host-app/registrations.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(root, "functions/index.ts")], {
    env: { APP_ROLE: role },
  });
  return printed
    .parse(JSON.parse(stdout))
    .functions.map(({ name }) => name)
    .sort();
}

export async function functionsFile(): Promise<string> {
  const registered: Partial<Record<AppName, readonly string[]>> = {};
  for (const name of appNames) registered[name] = await functionsOf(name);
  return `${JSON.stringify(registered, null, 2)}\n`;
}
