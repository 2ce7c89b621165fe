import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { z } from "zod";
import { ConfigurationError } from "../shared/config.ts";
import { openIssuer } from "./identity.ts";
import { prepareDirectory, readLocalSettings } from "./settings.ts";

/** `npm run --silent token -- --role <role> [--oid <guid>]`: prints a bearer token that the local service accepts, and nothing else. */

/** App roles by the letters that `API.md` gives them. */
const roles = {
  R: "Registration.Manage",
  C: "Cases.Sync",
  E: "Support.Engineer",
  A: "Compliance.Audit",
} as const;

const usage = `usage: npm run --silent token -- --role <role> [--oid <guid>]
  role: ${Object.entries(roles)
    .map(([letter, name]) => `${letter} or ${name}`)
    .join(", ")}; may be given more than once`;

function readArguments(): { roles: readonly string[]; oid: string | undefined } {
  try {
    const { values } = parseArgs({ options: { role: { type: "string", multiple: true }, oid: { type: "string" } } });
    const named = (values.role ?? []).map(roleName);
    if (named.length === 0) throw new ConfigurationError("--role: is needed");
    return { roles: named, oid: z.guid("must be a GUID").optional().parse(values.oid) };
  } catch (error) {
    const message =
      error instanceof z.ZodError ? "--oid: must be a GUID" : error instanceof Error ? error.message : String(error);
    console.error(`${message}\n${usage}`);
    process.exit(2);
  }
}

function roleName(given: string): string {
  const found = Object.entries(roles).find(([letter, name]) =>
    [letter.toLowerCase(), name.toLowerCase()].includes(given.toLowerCase()),
  );
  if (found === undefined) throw new ConfigurationError(`--role: there is no role "${given}"`);
  return found[1];
}

const wanted = readArguments();
const oid = (wanted.oid ?? randomUUID()).toLowerCase();
try {
  const { directory } = readLocalSettings(process.env);
  await prepareDirectory(directory);
  const issuer = await openIssuer(directory);
  // An engineer is known to the service by this id: it has to be named when the case is assigned.
  if (wanted.oid === undefined) console.error(`oid ${oid}`);
  console.log(await issuer.issueToken({ oid, roles: wanted.roles }));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
