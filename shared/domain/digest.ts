import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** Lower-case hex SHA-256 of the RFC 8785 form of a JSON object. */
export const canonicalDigest = (value: object): string =>
  createHash("sha256")
    .update(canonicalize(value) ?? "", "utf8")
    .digest("hex");

/** The first 128 bits of a hex digest in the form of a GUID, version 8 (RFC 9562). */
export const guidOfDigest = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
