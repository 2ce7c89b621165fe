import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import { DomainError } from "../errors.ts";
import { lazy } from "../lazy.ts";

/** Access tokens of people and services (`DESIGN.md`, Trust): Entra ID's, or the local issuer's. */

/** App roles, and the letters that `API.md` gives them. */
export const roles = {
  "Registration.Manage": "R",
  "Cases.Sync": "C",
  "Support.Engineer": "E",
  "Compliance.Audit": "A",
} as const;
export type Role = (typeof roles)[keyof typeof roles];

/** Who calls: the person's or service's object id, a lower-case GUID, and the one role they act in. */
export type Caller = { readonly oid: string; readonly role: Role };

/** Verifies an `Authorization` header at `now` (real time). */
export type TokenVerifier = (authorization: string, now: Date) => Promise<Caller>;

type TokenSettings = { readonly issuer: string; readonly audience: string; readonly tenantId: string };

/** Asymmetric only, so that nobody can sign with a published key as if it were a shared secret (RFC 8725 section 3.1). */
const algorithms = ["RS256", "PS256", "ES256"];
/** Seconds by which the issuer's clock may differ from ours. */
const skew = 60;

/** Milliseconds to wait for the issuer's keys, to keep them, and to pass before an unknown `kid` fetches them again. */
const keyFetching = { timeoutDuration: 5_000, cacheMaxAge: 600_000, cooldownDuration: 30_000 };

/**
 * A verifier that fetches the issuer's keys from `jwksUrl`, and says `ServiceUnavailable` while it cannot. The first token opens the key set:
 * that loads `fetch`, which stamps' requests do without.
 */
export function makeTokenVerifier({
  jwksUrl,
  ...settings
}: TokenSettings & { readonly jwksUrl: string }): TokenVerifier {
  const keys = lazy(() => createRemoteJWKSet(new URL(jwksUrl), keyFetching));
  return tokenVerifierWith((header, token) => keys()(header, token), settings);
}

/**
 * A verifier over the given keys. Throws `TokenInvalid`, `TokenExpired`, `RoleMissing`, `ConflictingRoles`, or
 * `ServiceUnavailable` where the keys cannot be had.
 */
export function tokenVerifierWith(keys: JWTVerifyGetKey, settings: TokenSettings): TokenVerifier {
  const reachableKeys = orUnavailable(keys);
  return async (authorization, now) => {
    const payload = await verifiedPayload(bearerToken(authorization), reachableKeys, settings, now);
    const { oid, tid, roles } = readClaims(payload);
    if (tid !== settings.tenantId.toLowerCase()) throw invalid("it is of another tenant");
    return { oid, role: onlyRole(roles) };
  };
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalid("Authorization must be `Bearer` and one token");
  return token;
}

async function verifiedPayload(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience }: TokenSettings,
  now: Date,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      clockTolerance: skew,
      currentDate: now,
      requiredClaims: ["exp", "nbf"],
    });
    return payload;
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

const claims = z.object({
  oid: z.guid().toLowerCase(),
  tid: z.guid().toLowerCase(),
  roles: z.array(z.string()).default([]),
});

function readClaims(payload: JWTPayload): z.infer<typeof claims> {
  const parsed = claims.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw invalid(`its claim ${String(parsed.error.issues[0]?.path[0])} is missing or malformed`);
}

function onlyRole(names: readonly string[]): Role {
  const ours = new Set(Object.entries(roles).flatMap(([name, role]) => (names.includes(name) ? [role] : [])));
  if (ours.size > 1) {
    throw new DomainError(
      "ConflictingRoles",
      "The access token has two of this service's roles, which must be apart. Have one of them taken away.",
    );
  }
  const [role] = ours;
  if (role !== undefined) return role;
  throw new DomainError(
    "RoleMissing",
    `The access token has none of this service's roles. Have one assigned: ${Object.keys(roles).join(", ")}.`,
  );
}

/** Errors of a key set that the token is to blame for; any other means that we have no keys to judge it by. */
const faultsOfToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

const orUnavailable =
  (keys: JWTVerifyGetKey): JWTVerifyGetKey =>
  async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (faultsOfToken.some((fault) => error instanceof fault)) throw error;
      throw new DomainError(
        "ServiceUnavailable",
        "The token issuer's keys cannot be fetched at the moment. Send the request again in a few seconds.",
        { cause: error, retryAfterSeconds: 5 },
      );
    }
  };

const invalid = (why: string): DomainError =>
  new DomainError("TokenInvalid", `The access token was refused: ${why}. Get one for this service and send it again.`);
