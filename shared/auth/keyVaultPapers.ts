import type { TokenCredential } from "@azure/identity";
import type { KeyClientOptions, KeyVaultKey } from "@azure/keyvault-keys";
import { calculateJwkThumbprint } from "jose";
import { DomainError } from "../errors.ts";
import { clientOptions } from "../storage/clientOptions.ts";
import { orUnavailable } from "../storage/failures.ts";
import { type PaperKey, type PaperSigner, publishedKey, signPaper } from "./papers.ts";

/** Milliseconds for which an instance keeps what it knows of the key's versions. */
const keptFor = 600_000;
/** Milliseconds after which every instance publishes a new version, so that whoever gets a paper can verify it. */
const settledAfter = 2 * keptFor;

/** The bounds of a version that has none: all that a `Date` can hold. */
const always = { from: new Date(-8.64e15), to: new Date(8.64e15) };

type KeyVersion = PaperKey & {
  readonly x: string;
  readonly y: string;
  readonly createdOn: Date;
  readonly notBefore: Date;
  readonly expiresOn: Date;
};

type KeyVaultPaperOptions = {
  /** `https://<vault>/keys/<name>`, without a version. */
  readonly keyId: string;
  readonly credential: TokenCredential;
  /** Real time. */
  readonly now?: () => Date;
  /** Settings of the SDK's clients; a test brings its own HTTP client. */
  readonly client?: KeyClientOptions;
};

/**
 * Signs with the newest enabled version of a Key Vault key and publishes every enabled one. To retire a key make a new version
 * and leave the old one enabled; disabling a version withdraws it, since Key Vault shows a disabled key to nobody. The
 * SDK is loaded at first use. Throws `ServiceUnavailable` while Key Vault does not answer or has no version to sign with.
 */
export function keyVaultPaperSigner(options: KeyVaultPaperOptions): PaperSigner {
  const now = options.now ?? (() => new Date());
  const versions = keptWhileFresh(() => enabledVersions(options), now);
  return {
    sign: (typ, claims) => orUnavailable(async () => signPaper(signingVersion(await versions(), now()), typ, claims)),
    publicKeys: () => orUnavailable(async () => ({ keys: (await versions()).map(publishedKey) })),
  };
}

/** The newest valid version that all instances publish by now; before there is one, the oldest, known for longest. */
function signingVersion(newestFirst: readonly KeyVersion[], now: Date): KeyVersion {
  const valid = newestFirst.filter(({ notBefore, expiresOn }) => now >= notBefore && now < expiresOn);
  const settled = valid.find(({ createdOn }) => now.getTime() - createdOn.getTime() >= settledAfter);
  const version = settled ?? valid.at(-1);
  if (version !== undefined) return version;
  throw new DomainError("ServiceUnavailable", "The service cannot sign at the moment. Send the request again later.", {
    cause: new Error("SIGNING_KEY_ID: the key has no enabled version"),
    retryAfterSeconds: 60,
  });
}

async function enabledVersions({ keyId, credential, client }: KeyVaultPaperOptions): Promise<readonly KeyVersion[]> {
  const { CryptographyClient, KeyClient, parseKeyVaultKeyIdentifier } = await import("@azure/keyvault-keys");
  const { vaultUrl, name } = parseKeyVaultKeyIdentifier(keyId);
  const settings = () => ({ ...clientOptions(), ...client });
  const keys = new KeyClient(vaultUrl, credential, settings());

  const versions: KeyVersion[] = [];
  for await (const { enabled, version, createdOn, notBefore, expiresOn } of keys.listPropertiesOfKeyVersions(name)) {
    if (enabled === false || version === undefined) continue;
    const key = await keys.getKey(name, { version });
    const cryptography = new CryptographyClient(key, credential, settings());
    versions.push({
      ...(await publicHalf(key)),
      createdOn: createdOn ?? always.from,
      notBefore: notBefore ?? always.from,
      expiresOn: expiresOn ?? always.to,
      sign: async (data) => (await cryptography.signData("ES256", data)).result,
    });
  }
  return versions.sort((one, other) => other.createdOn.getTime() - one.createdOn.getTime());
}

async function publicHalf({ id, key }: KeyVaultKey): Promise<{ kid: string; x: string; y: string }> {
  if (key?.crv !== "P-256" || key.x === undefined || key.y === undefined) {
    throw new Error(`SIGNING_KEY_ID: ${id} is no EC P-256 key`);
  }
  const point = { x: Buffer.from(key.x).toString("base64url"), y: Buffer.from(key.y).toString("base64url") };
  return { ...point, kid: await calculateJwkThumbprint({ kty: "EC", crv: "P-256", ...point }) };
}

/** What `load` gave, loaded again when it is old; where that fails, the old one serves for another while. */
function keptWhileFresh<T>(load: () => Promise<T>, now: () => Date): () => Promise<T> {
  let kept: { readonly value: Promise<T>; readonly since: number } | undefined;
  return () => {
    const present = now().getTime();
    if (kept !== undefined && present - kept.since < keptFor) return kept.value;
    const previous = kept?.value;
    const value = load().catch((error: unknown) => {
      if (previous !== undefined) return previous;
      kept = undefined;
      throw error;
    });
    kept = { value, since: present };
    return value;
  };
}
