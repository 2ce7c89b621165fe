import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from "jose";
import { z } from "zod";
import type { World } from "./world.ts";

/** Tokens that the local issuer would never give, signed with its own key: one thing wrong at a time. */

const issuerFile = z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });

/** The issuer's private JWK. */
export async function issuerKey(world: World): Promise<Readonly<Record<string, unknown>>> {
  const { keys } = issuerFile.parse(JSON.parse(await readFile(join(world.service.directory, "issuer.json"), "utf8")));
  const [key] = keys;
  if (key === undefined) throw new Error("The issuer has no key.");
  return key;
}

/** A valid token's header and claims, for a test to bend. */
export async function tokenParts(world: World): Promise<{ header: Record<string, unknown>; claims: JWTPayload }> {
  const { token } = await world.person("R");
  return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
}

/** A token of role R with these claims changed (`undefined` leaves one out), signed by the issuer unless by another key. */
export async function forgedToken(
  world: World,
  changes: Readonly<Record<string, unknown>>,
  signing: { readonly key?: Parameters<SignJWT["sign"]>[0]; readonly header?: Record<string, unknown> } = {},
): Promise<string> {
  const { header, claims } = await tokenParts(world);
  const key = signing.key ?? (await importJWK(await issuerKey(world), "RS256"));
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: "RS256", ...header, ...signing.header })
    .sign(key);
}

/** A compact JWS put together by hand. */
export const compact = (header: object, claims: object, signature: string | Uint8Array = ""): string =>
  [JSON.stringify(header), JSON.stringify(claims), signature]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
