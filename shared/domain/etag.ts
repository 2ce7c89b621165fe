import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { DomainError } from "../errors.ts";

/**
 * Of a bundle, what differs from one answer to the next without the bundle having changed: custody, set once, by the name that it shows, and
 * completeness, which is read from beside the bytes and is for its stamp.
 */
const volatile = ["upload", "stagedBlocks", "custody", "completeness"];

/** A strong ETag of a resource: what it says, hashed. */
export function etagOf(resource: object): string {
  const lasting = Object.fromEntries(Object.entries(resource).filter(([name]) => !volatile.includes(name)));
  return `"${createHash("sha256")
    .update(canonicalize(lasting) ?? "")
    .digest("hex")
    .slice(0, 32)}"`;
}

/** Throws `ConditionNotMet` where `If-Match` names no standing version of the resource (RFC 9110, 13.1.1). */
export function requireMatch(ifMatch: string | undefined, standing: object | undefined): void {
  if (ifMatch === undefined) return;
  const named = ifMatch.split(",").map((each) => each.trim());
  const matches = standing !== undefined && (named.includes("*") || named.includes(etagOf(standing)));
  if (!matches) {
    throw new DomainError(
      "ConditionNotMet",
      "The resource is not as If-Match names it. Read it again and decide anew.",
      {
        target: "If-Match",
      },
    );
  }
}
