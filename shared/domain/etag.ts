import { DomainError } from "../errors.ts";
import { canonicalDigest } from "./digest.ts";

/**
 * Of a bundle, what differs from one answer to the next without the bundle having changed: custody, set once, by the name that it shows, and
 * completeness, which is read from beside the bytes and is for its stamp.
 */
const volatile = ["upload", "stagedBlocks", "custody", "completeness"];

/** A strong ETag of a resource: what it says, hashed. */
export function etagOf(resource: object): string {
  const lasting = Object.fromEntries(Object.entries(resource).filter(([name]) => !volatile.includes(name)));
  return `"${canonicalDigest(lasting).slice(0, 32)}"`;
}

/** What a request asks of the version that stands, each a list of ETags or `*` (RFC 9110, 13.1). */
export type Condition = { readonly ifMatch?: string | undefined; readonly ifNoneMatch?: string | undefined };

/** What only a condition needs to know is not read without one. */
export const isConditional = ({ ifMatch, ifNoneMatch }: Condition): boolean =>
  ifMatch !== undefined || ifNoneMatch !== undefined;

/** Throws `ConditionNotMet` where the resource does not stand as `If-Match` asks, or stands as `If-None-Match` rules out. */
export function requireCondition({ ifMatch, ifNoneMatch }: Condition, standing: object | undefined): void {
  if (ifMatch !== undefined && !names(ifMatch, standing))
    throw notMet("If-Match", "The resource is not as If-Match names it. Read it again and decide anew.");
  if (ifNoneMatch !== undefined && names(withoutWeakness(ifNoneMatch), standing))
    throw notMet("If-None-Match", "The resource is there already. Read it, and leave If-None-Match out to change it.");
}

/** Whether a reader with these versions has all that the resource says; what an ETag leaves out has to be sent. */
export const isHeld = (ifNoneMatch: string | undefined, resource: object): boolean =>
  ifNoneMatch !== undefined &&
  !volatile.some((name) => name in resource) &&
  names(withoutWeakness(ifNoneMatch), resource);

function names(field: string, resource: object | undefined): boolean {
  const named = field.split(",").map((each) => each.trim());
  return resource !== undefined && (named.includes("*") || named.includes(etagOf(resource)));
}

/** `If-None-Match` compares weakly: caches may have weakened an ETag on the way (RFC 9110, 13.1.2). */
const withoutWeakness = (field: string): string => field.replaceAll('W/"', '"');

const notMet = (target: string, message: string) => new DomainError("ConditionNotMet", message, { target });
