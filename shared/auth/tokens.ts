import { errors, type JWTHeaderParameters, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import { DomainError } from "../errors.ts";
import { lazy } from "../lazy.ts";
import { issuerKeys } from "./issuerKeys.ts";
import { kindsOf, type Role, type RoleName, roleNames, roles, type TokenKind } from "./roles.ts";

/** Access tokens of people and services (`DESIGN.md`, Trust): Entra ID's, or the local issuer's. */

/** Who calls: the person's or service's object id, a lower-case GUID, and the one role they act in. */
export type Caller = { readonly oid: string; readonly role: Role };

/** Verifies an `Authorization` header at `now` (real time). */
export type TokenVerifier = (authorization: string, now: Date) => Promise<Caller>;

export type TokenSettings = {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantId: string;
  /** What a delegated token must hold. */
  readonly scope: string;
  /** Ids of the applications that may get tokens in a role; any may in one that is not listed. */
  readonly trustedClients: Readonly<Partial<Record<RoleName, readonly string[]>>>;
};

/** Asymmetric only, so that nobody can sign with a published key as if it were a shared secret (RFC 8725 section 3.1). */
const algorithms = ["RS256", "PS256", "ES256"];
/** Seconds by which the issuer's clock may differ from ours. */
const skew = 60;
/** Seconds. Entra ID's own limit: 60 to 90 minutes, and 24 to 28 hours only for clients that can be told of a revocation at once. */
const longestLife = 24 * 3600;

/**
 * A verifier that fetches the issuer's keys from `jwksUrl`. The first token opens the key set: that loads `fetch`, which stamps' requests
 * do without.
 */
export function makeTokenVerifier({
  jwksUrl,
  now,
  ...settings
}: TokenSettings & { readonly jwksUrl: string; readonly now: () => Date }): TokenVerifier {
  const keys = lazy(() => issuerKeys({ url: jwksUrl, now }));
  return tokenVerifierWith((header, token) => keys()(header, token), settings);
}

/**
 * A verifier over the given keys. Throws `TokenInvalid`, `TokenExpired`, `RoleMissing`, `ConflictingRoles`, or what the keys throw
 * where they cannot be had.
 */
export function tokenVerifierWith(keys: JWTVerifyGetKey, settings: TokenSettings): TokenVerifier {
  return async (authorization, now) => {
    const { protectedHeader, payload } = await verified(bearerToken(authorization), keys, settings, now);
    requireAccessToken(protectedHeader, payload);
    const claims = readClaims(payload);
    requireShortLife(claims, now);
    if (claims.tid !== settings.tenantId.toLowerCase()) throw invalid("it is of another tenant");
    const name = onlyRole(claims.roles);
    requireKind(name, claims, settings.scope);
    requireTrustedClient(name, claims.azp, settings.trustedClients[name]);
    return { oid: claims.oid, role: roles[name] };
  };
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalid("Authorization must be `Bearer` and one token");
  return token;
}

async function verified(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience }: TokenSettings,
  now: Date,
): Promise<{ protectedHeader: JWTHeaderParameters; payload: JWTPayload }> {
  try {
    return await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      clockTolerance: skew,
      currentDate: now,
      requiredClaims: ["exp", "nbf"],
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The library's error stays behind: it carries the token's claims, which belong in no log. */
function refusalOf(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof errors.JWTExpired) {
    return new DomainError("TokenExpired", "The access token has expired. Get a new one and send the request again.");
  }
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(`its claim ${error.claim} does not fit`);
  return invalid("it is no token that the configured issuer signed");
}

const accessTokenTypes: readonly unknown[] = [undefined, "jwt", "at+jwt"];

/** An issuer signs more than access tokens with the same keys: ID tokens and logout tokens among them. */
function requireAccessToken({ typ }: JWTHeaderParameters, payload: JWTPayload): void {
  // The header is what the issuer signed: `typ` may be of any JSON type.
  const type: unknown = typ;
  const name = typeof type === "string" ? type.toLowerCase() : type;
  if (!accessTokenTypes.includes(name)) throw invalid("its typ is not that of an access token");
  for (const claim of ["nonce", "at_hash"]) {
    if (claim in payload)
      throw invalid(`its claim ${claim} says that it is an ID token, and an access token is needed`);
  }
}

const claims = z.object({
  ver: z.literal("2.0"),
  oid: z.guid().toLowerCase(),
  tid: z.guid().toLowerCase(),
  iat: z.number(),
  exp: z.number(),
  roles: z.array(z.string()).default([]),
  scp: z.string().optional(),
  idtyp: z.string().optional(),
  azp: z.string().toLowerCase().optional(),
});
type Claims = z.infer<typeof claims>;

function readClaims(payload: JWTPayload): Claims {
  const parsed = claims.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw invalid(`its claim ${String(parsed.error.issues[0]?.path[0])} is missing or malformed`);
}

/** `iat` in the future would let `exp` lie as far beyond. */
function requireShortLife({ iat, exp }: Claims, now: Date): void {
  if (iat > now.getTime() / 1000 + skew) throw invalid("its claim iat is in the future");
  if (exp - iat > longestLife) throw invalid("it lives for more than 24 hours");
}

function onlyRole(names: readonly string[]): RoleName {
  const ours = roleNames.filter((name) => names.includes(name));
  if (ours.length > 1) {
    throw new DomainError(
      "ConflictingRoles",
      "The access token has two of this service's roles, which must be apart. Have one of them taken away.",
    );
  }
  const [name] = ours;
  if (name !== undefined) return name;
  throw new DomainError(
    "RoleMissing",
    `The access token has none of this service's roles. Have one assigned: ${roleNames.join(", ")}.`,
  );
}

/** A person's role without a person would be read by whoever holds an application's secret, and an application's by whoever signs in. */
function requireKind(name: RoleName, claims: Claims, scope: string): void {
  const kinds = kindsOf[roles[name]];
  const kind = kindOf(claims, scope);
  if (kind !== undefined && kinds.includes(kind)) return;
  throw invalid(`the role ${name} takes ${kinds.map((each) => asked(each, scope)).join(", or ")}`);
}

/** Undefined for what is neither, such as an ID token. */
function kindOf({ scp, idtyp }: Claims, scope: string): TokenKind | undefined {
  if (idtyp === "app") return scp === undefined ? "appOnly" : undefined;
  const isPerson = idtyp === undefined || idtyp === "user";
  return isPerson && scp?.split(" ").includes(scope) ? "delegated" : undefined;
}

const asked = (kind: TokenKind, scope: string): string =>
  kind === "delegated"
    ? `a token of a person who signed in, with the scope ${scope}`
    : "a token of an application of its own (idtyp app, no scp)";

function requireTrustedClient(name: RoleName, azp: string | undefined, trusted: readonly string[] | undefined): void {
  if (trusted === undefined || trusted.some((id) => id.toLowerCase() === azp)) return;
  throw invalid(`its claim azp names no application that this service takes ${name} from`);
}

const invalid = (why: string): DomainError =>
  new DomainError("TokenInvalid", `The access token was refused: ${why}. Get one for this service and send it again.`);
