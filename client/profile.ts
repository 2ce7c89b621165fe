import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { registration } from "../shared/api/stamps.ts";
import { UsageError } from "./failure.ts";
import { readJson, writeJson } from "./files.ts";
import { privateJwk } from "./keys.ts";

/** The stamp that this machine plays: its identity, its key and its registration, kept in `LOCAL_DIR/stamp/`. */

const profile = z.object({
  schema: z.literal(1),
  stampId: z.guid(),
  privateKey: privateJwk,
  registration: registration.omit({ keys: true }),
  /** Path of certificates to trust beside Node's own, as `register --ca` was given it. */
  caFile: z.string().optional(),
});
export type Profile = z.infer<typeof profile>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything local lives: `LOCAL_DIR`, or `.local` where the project is. */
export const localFolder = (environment: Environment): string => resolve(environment.LOCAL_DIR || ".local");

export const uploadsFolder = (local: string): string => join(local, "stamp", "uploads");

/** The stamp of this machine; `undefined` before its first `register`. */
export async function readProfile(local: string): Promise<Profile | undefined> {
  const stored = await readJson(profilePath(local));
  if (stored === undefined) return undefined;
  const read = profile.safeParse(stored);
  if (read.success) return read.data;
  throw new Error(
    `${profilePath(local)} is not a stamp's profile any more: restore it, or delete it and register a new stamp`,
  );
}

/** Keeps the profile, key and all, readable by its owner only. */
export async function writeProfile(local: string, value: Profile): Promise<void> {
  await mkdir(join(local, "stamp"), { recursive: true });
  await writeJson(profilePath(local), value);
}

const defaultOrigin = "http://127.0.0.1:7071";
const serviceFile = z.object({ origin: z.url() });

/** The service to talk to: as asked for, by `STAMP_INTAKE_ORIGIN`, the one that runs here, or where it would run. Throws `UsageError`. */
export async function serviceOrigin(
  asked: string | undefined,
  environment: Environment,
  local: string,
): Promise<string> {
  if (asked) return originOf("--origin", asked);
  if (environment.STAMP_INTAKE_ORIGIN) return originOf("STAMP_INTAKE_ORIGIN", environment.STAMP_INTAKE_ORIGIN);
  return serviceFile.safeParse(await readJson(join(local, "service.json"))).data?.origin ?? defaultOrigin;
}

function originOf(where: string, named: string): string {
  const url = URL.parse(named);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.origin;
  throw new UsageError(`${where}: ${named} is no URL; it looks like https://intake.example.com`);
}

const profilePath = (local: string): string => join(local, "stamp", "profile.json");
