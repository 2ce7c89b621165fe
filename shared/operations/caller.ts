import type { BundleManifest } from "../api/manifest.ts";
import type { StampId } from "../api/primitives.ts";
import type { Actor } from "../domain/event.ts";
import type { SubjectId } from "../domain/people.ts";
import type { StampHead } from "./needs.ts";

/** Who calls, after authentication. */

export type StampCaller = {
  readonly kind: "stamp";
  readonly stampId: StampId;
  /** The key that signed. */
  readonly keyId: string;
  /** Of the reference client, where that is what calls. */
  readonly clientVersion: string | undefined;
  /** The stamp's partition as it was read to authenticate: an operation's first look at it costs nothing more. */
  readonly head: StampHead;
};

/** Who brings a bundle that was saved locally: what they may do is what the stamp signed, for that bundle alone. */
export type ManifestCaller = {
  readonly kind: "manifest";
  readonly stampId: StampId;
  /** The key that signed the manifest. */
  readonly keyId: string;
  /** Of the reference client, where that is what calls. */
  readonly clientVersion: string | undefined;
  readonly manifest: BundleManifest;
  readonly head: StampHead;
};

/** Whoever may send a stamp's bundle. */
export type SendingCaller = StampCaller | ManifestCaller;

export type RoleLetter = "R" | "C" | "E" | "A";

export type TokenCaller = {
  readonly kind: "token";
  readonly role: RoleLetter;
  /** The Entra object id. */
  readonly oid: string;
  readonly subject: SubjectId;
};

export type Caller = SendingCaller | TokenCaller;

/** R and C are services, E and A are people; a manifest is the stamp's own word, whoever carries it. */
export function actorOf(caller: Caller): Actor {
  if (caller.kind !== "token") return { kind: "stamp", id: caller.stampId };
  return { kind: caller.role === "E" || caller.role === "A" ? "person" : "service", id: caller.subject };
}
