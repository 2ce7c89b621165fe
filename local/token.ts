import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type RoleName, roleNames, roles } from "../shared/auth/roles.ts";
import { ConfigurationError } from "../shared/config.ts";
import { openIssuer } from "./identity.ts";
import { prepareDirectory, readLocalSettings } from "./settings.ts";

/** `npm run --silent token -- --role <role> [--oid <guid>]`: prints a bearer token that the local service accepts, and nothing else. */

const usage = `usage: npm run --silent token -- --role <role> [--oid <guid>]
  role: ${roleNames.map((name) => `${roles[name]} or ${name}`).join(", ")}; may be given more than once`;

function readArguments(): { roles: readonly RoleName[]; oid: string | undefined } {
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

function roleName(given: string): RoleName {
  const found = roleNames.find((name) => [roles[name].toLowerCase(), name.toLowerCase()].includes(given.toLowerCase()));
  if (found === undefined) throw new ConfigurationError(`--role: there is no role "${given}"`);
  return found;
}

const wanted = readArguments();
const oid = (wanted.oid ?? randomUUID()).toLowerCase();
try {
  const { directory } = readLocalSettings(process.env);
  await prepareDirectory(directory);
  const issuer = await openIssuer(directory);
  // An engineer is known to the service by this id: it has to be named when the case is assigned.
  if (wanted.oid === undefined) console.error(`oid ${oid}`);
  console.log(await issuer.issueToken({ oid, roles: wanted.roles, scope: process.env.TOKEN_SCOPE }));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
