import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { Unreadable } from "./service.ts";

/** What the auditor of a service on this machine need not be told: where it is, and a token that it takes. */

const project = resolve(import.meta.dirname, "..");
const serviceFile = z.object({ origin: z.url() });

/** The service that runs here, by `LOCAL_DIR`'s `service.json`; where it would run, if it does not. */
export async function localOrigin(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const path = join(resolve(environment.LOCAL_DIR || ".local"), "service.json");
  const found: unknown = await readFile(path, "utf8")
    .then(JSON.parse)
    .catch(() => undefined);
  return serviceFile.safeParse(found).data?.origin ?? `http://127.0.0.1:${environment.PORT || 7071}`;
}

/** A token of the local issuer; `role` is the name or the letter of `API.md`. Throws `Unreadable` where none is issued. */
export async function localToken(role: string): Promise<string> {
  const command = [join(project, "local/token.ts"), "--role", role];
  const { stdout } = await promisify(execFile)(process.execPath, command).catch((cause: unknown) => {
    throw new Unreadable(
      "The local token issuer gave no token. Bring one of the role that `--help` names with --token.",
      {
        cause,
      },
    );
  });
  return stdout.trim();
}
