/** What a secret of this service looks like in a line, wherever it came from (invariant 9). */
const patterns: Readonly<Record<string, RegExp>> = {
  "a signature of a URL": /\bsig(?:=|%3D)(?!…)[A-Za-z0-9%+/_-]{8,}/i,
  "a token": /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/,
  "a bearer's header": /\bBearer\s+[A-Za-z0-9._~+/-]{16,}/i,
  "a manifest's header": /\bManifest\s+eyJ/i,
  "a shared key's header": /\bSharedKey(?:Lite)?\s+\w+:[A-Za-z0-9+/=]{8,}/i,
  "an account's key": /\bAccountKey=\s*[^;\s"]/i,
  "a shared access signature": /\bSharedAccessSignature=/i,
  "the private part of a key": /\\?"d\\?"\s*:\s*\\?"[A-Za-z0-9_-]{40,}/,
};

/** What the line holds that it must not, in words; none where it is clean. */
export const secretsIn = (line: string): string[] =>
  Object.entries(patterns).flatMap(([what, pattern]) => (pattern.test(line) ? [what] : []));
