import * as z from "zod";
import { bundleId, stampId as stampIdSchema } from "../api/primitives.ts";
import type { Permission, Route } from "../api/route.ts";
import type { OtherApp } from "../apps.ts";
import { isManifest, verifyManifest } from "../auth/bundleManifest.ts";
import { roles } from "../auth/roles.ts";
import { verifyStampSignature } from "../auth/stampSignature.ts";
import type { TokenVerifier } from "../auth/tokens.ts";
import { requireKeyAsOf } from "../domain/custody.ts";
import { asStamp } from "../domain/sender.ts";
import { isRetired, type StampRecord } from "../domain/stamp.ts";
import { DomainError } from "../errors.ts";
import type { Caller, ManifestCaller, TokenCaller } from "../operations/caller.ts";
import type { Clock, People, Stamps } from "../operations/needs.ts";
import { requireStamp } from "../operations/refusals.ts";
import { signatureNotTakenHere, tokenNotTakenHere } from "./elsewhere.ts";
import type { Received } from "./received.ts";

/** Who calls: a stamp by its signature, whoever carries its manifest, a person or service by a token (`API.md`, Who; `DESIGN.md`, Trust). */

export type Authentication = {
  readonly clock: Clock;
  readonly publicOrigin: string;
  /** The app that takes the credentials which this one does not; none where one app takes all. */
  readonly otherApp?: OtherApp | undefined;
  readonly verifyToken: TokenVerifier;
  readonly people: Pick<People, "subjectOf">;
  readonly stamps: Pick<Stamps, "head">;
  /** Whether the nonce is new to the stamp. */
  readonly useNonce: (stampId: string, nonce: string, created: Date) => Promise<boolean>;
};

/** What a 401 asks for: each kind of credential that opens the route. */
export const challengeFor = (who: Route["who"]): string => {
  if (who === "anyone") return "Bearer";
  if (who.includes("manifest")) return "Manifest";
  const signature = who.includes("stamp") ? ['Signature tag="stamp-intake"'] : [];
  return [...signature, ...(who.some((each) => each !== "stamp") ? ["Bearer"] : [])].join(", ");
};

export type Authenticated = {
  /** Undefined on a route for anyone. */
  readonly caller: Caller | undefined;
  /** Uses up the signature before anything is done for it. Throws `SignatureReplayed` where it was used before (invariant 8), `StampDisabled`. */
  readonly admit: () => Promise<void>;
};

const everybody = async () => {};

/** Throws the 401 or 403 that says why the caller is not let in; what is left of that is in `admit`. */
export async function authenticate(using: Authentication, route: Route, request: Received): Promise<Authenticated> {
  if (route.who === "anyone") return { caller: undefined, admit: everybody };
  const authorization = request.headers.get("authorization");
  const signed = request.headers.has("signature") || request.headers.has("signature-input");
  if (authorization !== null) {
    if (signed) throw new DomainError("TokenInvalid", "Send either a bearer token or a signature, not both.");
    if (route.who.includes("manifest") && isManifest(authorization)) {
      return { caller: await byManifest(using, route, request, authorization), admit: everybody };
    }
    if (using.otherApp?.name === "access") throw tokenNotTakenHere(using.otherApp);
    return { caller: await byToken(using, route.who, authorization), admit: everybody };
  }
  if (route.who.includes("manifest")) {
    throw new DomainError("TokenMissing", "Send the bundle's manifest: Authorization: Manifest <compact JWS>.");
  }
  if (!route.who.includes("stamp")) {
    if (signed && using.otherApp?.name === "intake") throw signatureNotTakenHere(using.otherApp);
    throw new DomainError("TokenMissing", "Send an access token: Authorization: Bearer <token>.");
  }
  return await bySignature(using, route, request);
}

async function byToken(using: Authentication, who: readonly Permission[], authorization: string): Promise<TokenCaller> {
  const { oid, role } = await using.verifyToken(authorization, using.clock.real());
  if (!who.includes(role)) {
    throw new DomainError("RoleMissing", `The role ${roleNames.get(role)} may not do this. It takes ${describe(who)}.`);
  }
  return { kind: "token", role, oid, subject: await using.people.subjectOf({ scope: "entra", identity: oid }) };
}

/** The role of a letter, in words. */
const roleNames = new Map<string, string>(Object.entries(roles).map(([name, letter]) => [letter, name]));

const describe = (who: readonly Permission[]): string =>
  who.map((each) => credentialNames[each] ?? roleNames.get(each)).join(" or ");

const credentialNames: Readonly<Partial<Record<Permission, string>>> = {
  stamp: "the stamp's own signature",
  manifest: "the bundle's manifest",
};

const ofStamp = z.object({ stampId: stampIdSchema });

async function bySignature(using: Authentication, route: Route, request: Received): Promise<Authenticated> {
  const { stampId } = ofStamp.parse(request.params);
  const read = once(() => using.stamps.head(stampId));
  const signature = await verifyStampSignature(
    {
      method: request.method,
      targetUri: `${using.publicOrigin}${request.path}${request.search}`,
      headers: request.headers,
      body: request.body,
    },
    {
      keyOf: async (keyId) => keyOf(asStamp((await read()).state), keyId, using.clock.real()),
      now: using.clock.real(),
    },
  );
  const head = await read();
  const clientVersion = clientVersionOf(request.headers);
  return {
    caller: { kind: "stamp", stampId, keyId: signature.keyId, clientVersion, head },
    admit: async () => {
      if (!(await using.useNonce(stampId, signature.nonce, signature.created))) {
        throw new DomainError(
          "SignatureReplayed",
          "This signature was used before. Sign the request again with a new nonce.",
        );
      }
      requireNotDisabled(asStamp(head.state), route);
    },
  };
}

const ofBundle = z.object({ stampId: stampIdSchema, bundleId });

/** A manifest speaks for its stamp in the one bundle that it is of, as long as the stamp stands. */
async function byManifest(
  using: Authentication,
  route: Route,
  request: Received,
  authorization: string,
): Promise<ManifestCaller> {
  const path = ofBundle.parse(request.params);
  const head = await using.stamps.head(path.stampId);
  const stamp = asStamp(head.state);
  const { keyId, manifest } = await verifyManifest(
    authorization,
    async (named) => stamp?.keys.find((key) => key.keyId === named)?.jwk,
  );
  if (manifest.stampId !== path.stampId || manifest.bundleId !== path.bundleId) {
    throw new DomainError(
      "SignatureInvalid",
      "The manifest is of another stamp or bundle than the path: send it to /stamps/{stampId}/imports/{bundleId} of its own.",
    );
  }
  requireKeyAsOf(requireStamp(head), keyId, manifest.savedOn, using.clock.real());
  requireNotDisabled(stamp, route);
  const clientVersion = clientVersionOf(request.headers);
  return { kind: "manifest", stampId: path.stampId, keyId, clientVersion, manifest, head };
}

/** The reference client's `User-Agent: stamp-intake-client/1.2.3`; undefined for any other client. */
const clientVersionOf = (headers: Headers): string | undefined =>
  /(?:^|\s)stamp-intake-client\/(\d+\.\d+\.\d+)(?=$|[\s;-])/.exec(headers.get("user-agent") ?? "")?.[1];

function keyOf(stamp: StampRecord | undefined, keyId: string, realNow: Date) {
  const key = stamp?.keys.find((each) => each.keyId === keyId);
  if (key === undefined) return undefined;
  return {
    keyId,
    jwk: key.jwk,
    state: isRetired(key, realNow) ? ("retired" as const) : ("active" as const),
    notBefore: key.notBefore === undefined ? undefined : new Date(key.notBefore),
    notAfter: key.notAfter === undefined ? undefined : new Date(key.notAfter),
  };
}

/** A disabled stamp writes nothing; a compromised one reads nothing either, for whoever holds its key is not the stamp. */
function requireNotDisabled(stamp: StampRecord | undefined, route: Route): void {
  if (stamp?.state !== "disabled") return;
  if (route.verb !== "GET" || stamp.disabledReason === "compromised") {
    throw new DomainError("StampDisabled", "This stamp is disabled. Ask for it to be enabled again.");
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
