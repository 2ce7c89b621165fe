import { access, constants, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { ConfigurationError } from "../shared/config.ts";
import { isSystemError } from "./files.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of the embedded host itself; those of the service are in `shared/settings.ts`. */
export const hostSettings = z.object({
  PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, "must be a whole number from 0 to 65535")
    .transform(Number)
    .default(7071)
    .describe("Port on 127.0.0.1; 0 picks a free one."),
  LOCAL_DIR: z.string().default(".local").describe("Folder of all state; deleting it resets everything."),
  AzureWebJobsStorage: z.string().optional().describe("Connection string of other storage than the Azurite inside."),
  CLOCK_OFFSET_DAYS: z.coerce
    .number({ error: "must be a number of days" })
    .min(-3650)
    .max(3650)
    .default(0)
    .describe("Moves the clock of retention, consent and cases by this many days."),
  STAMP_INTAKE_ARTIFACT: z.string().optional().describe("File to run instead of the sources, such as dist/main.cjs."),
});

export type LocalSettings = {
  readonly port: number;
  readonly directory: string;
  /** Connection string of storage that is not ours to start. */
  readonly storage: string | undefined;
  readonly entry: string;
  readonly clockOffsetDays: number;
};

export const projectDirectory = resolve(import.meta.dirname, "..");

/** Parses what the embedded host itself is told. Throws `ConfigurationError` that names every setting at fault. */
export function readLocalSettings(environment: Environment): LocalSettings {
  const given = Object.fromEntries(
    Object.keys(hostSettings.shape).flatMap((name) => {
      const value = environment[name]?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
  const parsed = hostSettings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigurationError(
      parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
    );
  }
  const { PORT, LOCAL_DIR, AzureWebJobsStorage, CLOCK_OFFSET_DAYS, STAMP_INTAKE_ARTIFACT } = parsed.data;
  return {
    port: PORT,
    directory: resolve(LOCAL_DIR),
    storage: AzureWebJobsStorage ?? environment.StateStorage,
    clockOffsetDays: CLOCK_OFFSET_DAYS,
    entry:
      STAMP_INTAKE_ARTIFACT === undefined
        ? join(projectDirectory, "functions/index.ts")
        : resolve(STAMP_INTAKE_ARTIFACT),
  };
}

/** Makes `LOCAL_DIR` where it is not there. Throws `ConfigurationError` where that cannot be, or nothing can be written. */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK);
  } catch (error) {
    const why = isSystemError(error, "EEXIST", "ENOTDIR") ? "a file is in its way" : "it cannot be written";
    throw new ConfigurationError(`LOCAL_DIR: ${directory} is no usable folder, ${why}; name another one`);
  }
}

/** Throws `ConfigurationError` where the file to run is not there. */
export async function requireEntry(entry: string): Promise<void> {
  try {
    await access(entry, constants.R_OK);
  } catch {
    throw new ConfigurationError(`STAMP_INTAKE_ARTIFACT: there is no file ${entry}; npm run build makes dist/main.cjs`);
  }
}
