import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { z } from "zod";
import { cloud, registration } from "../../shared/api/stamps.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { generateKey, keyIdOf, publicHalf } from "../keys.ts";
import { type Profile, readProfile, writeProfile } from "../profile.ts";
import { asBearer, connect } from "../service.ts";
import { register } from "../stamp.ts";
import type { Context, Run } from "./context.ts";

/** `register`: makes this machine a stamp, or registers it again with what changed. */

const registerOptions = z.object({
  name: z.string().optional(),
  stampVersion: z.string().optional(),
  deploymentId: z.string().optional(),
  cloud: cloud.optional(),
  geography: z.string().optional(),
  registration: z.string().optional(),
  stampId: z.guid({ error: "--stamp-id: must be a GUID" }).toLowerCase().optional(),
  token: z.string().optional(),
});
type RegisterOptions = z.infer<typeof registerOptions>;

export function addRegister(program: Command, run: Run): void {
  program
    .command("register")
    .description("make this machine a stamp and register it; again, to change what is registered")
    .option("--name <text>", "display name")
    .option("--stamp-version <version>", "such as 1.2501.1.47")
    .option("--deployment-id <guid>", "deployment id")
    .option("--cloud <cloud>", cloud.options.join(", "))
    .option("--geography <name>", "where its bundles are kept")
    .option(
      "--registration <id>",
      "resource id of the Azure registration; another one ends the consent to proactive collection",
    )
    .option("--stamp-id <guid>", "the stamp's Cloud ID, the first time (default: a new one)")
    .option(
      "--token <token>",
      "access token with Registration.Manage (default: STAMP_INTAKE_TOKEN, or the local issuer's)",
    )
    .action((_options, command: Command) => run(command, (context) => registerStamp(context, command.opts())));
}

async function registerStamp(context: Context, given: unknown): Promise<number> {
  const options = valid(registerOptions, given);
  const known = await readProfile(context.local);
  const changed = known === undefined ? newProfile(options) : changedProfile(known, options);
  // The line that the stamp was registered over is the one it will send over.
  const profile = context.caFile === undefined ? changed : { ...changed, caFile: context.caFile };
  const key = publicHalf(profile.privateKey);
  const body = valid(registration, { ...profile.registration, keys: [{ keyId: await keyIdOf(key), jwk: key }] });
  // A key that was registered and then lost could never be used again, so it is kept first.
  if (known === undefined) await writeProfile(context.local, profile);
  const token = options.token ?? (process.env.STAMP_INTAKE_TOKEN || (await localToken(context)));
  const stamp = await register(
    connect(context.origin, asBearer(token), { exchange: context.exchange }),
    profile.stampId,
    body,
    context.signal,
  );
  await writeProfile(context.local, profile);
  context.output.result(
    stamp,
    `Registered "${stamp.displayName}" at ${context.origin}`,
    `  stamp       ${stamp.stampId}`,
    `  version     ${stamp.stampVersion}`,
    `  generation  ${stamp.registrationGeneration}`,
    "Next: npm run stamp -- consent enable",
  );
  return exitCodes.fine;
}

function newProfile(options: RegisterOptions): Profile {
  const stampId = options.stampId ?? randomUUID();
  const fresh = {
    displayName: `Stamp on ${hostname()}`,
    stampVersion: "1.2501.1.47",
    deploymentId: randomUUID(),
    cloud: "AzureCloud",
    geography: "Europe",
    registrationResourceId: `/subscriptions/${randomUUID()}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/AzureStack-${stampId}`,
  } as const;
  return changedProfile({ schema: 1, stampId, privateKey: generateKey(), registration: fresh }, options);
}

function changedProfile(profile: Profile, options: RegisterOptions): Profile {
  const old = profile.registration;
  if (options.stampId !== undefined && options.stampId !== profile.stampId) {
    throw new UsageError(
      `--stamp-id: this machine is stamp ${profile.stampId} already; LOCAL_DIR names another folder for another stamp`,
    );
  }
  return {
    ...profile,
    registration: {
      displayName: options.name ?? old.displayName,
      stampVersion: options.stampVersion ?? old.stampVersion,
      deploymentId: options.deploymentId ?? old.deploymentId,
      cloud: options.cloud ?? old.cloud,
      geography: options.geography ?? old.geography,
      registrationResourceId: options.registration ?? old.registrationResourceId,
    },
  };
}

function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UsageError(result.error.issues.map(({ path, message }) => [...path, message].join(" ")).join("; "));
}

/** A token of the issuer that runs beside a local service. */
async function localToken({ local }: Context): Promise<string> {
  const issuer = join(import.meta.dirname, "..", "..", "local", "token.ts");
  try {
    const environment = { ...process.env, LOCAL_DIR: local };
    const { stdout } = await promisify(execFile)(process.execPath, [issuer, "--role", "R"], { env: environment });
    return stdout.trim();
  } catch (error) {
    throw new Error(
      `There is no token to register with. Run the service here (npm start), or give one with Registration.Manage by --token.`,
      { cause: error },
    );
  }
}
