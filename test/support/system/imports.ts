import { randomUUID } from "node:crypto";
import { CompactSign } from "jose";
import { expectStatus } from "./expectations.ts";
import { type Bundle, bundleShape } from "./shapes.ts";
import type { StampKey } from "./signing.ts";
import type { StampActor } from "./stamp.ts";
import { bodyOf, type Call, type World, withVersion } from "./world.ts";
import { makeZip, sha256Hex } from "./zip.ts";

/** A bundle that a stamp saved where it had no line: the file, and the manifest that whoever carries it shows. */

type Fields = Readonly<Record<string, unknown>>;

export type SavedBundle = {
  readonly bundleId: string;
  readonly bytes: Buffer;
  readonly claims: Fields;
  /** The compact JWS. */
  readonly manifest: string;
  /** `/stamps/{stampId}/imports/{bundleId}` */
  readonly path: string;
};

export type SavingOptions = {
  /** Claims in place of the usual ones; an undefined one is left out. */
  readonly claims?: Fields;
  readonly key?: StampKey;
  /** Members of the protected header in place of the usual ones. */
  readonly header?: Fields;
  readonly bytes?: Buffer;
};

/** Saves a bundle at the stamp: nothing of it reaches the service. */
export async function saveBundle(
  stamp: StampActor,
  { claims: changes = {}, key = stamp.key, header, bytes: given }: SavingOptions = {},
): Promise<SavedBundle> {
  const bytes = given ?? (await makeZip());
  const { mode: _mode, ...request } = await stamp.bundleRequest({ sizeBytes: bytes.byteLength });
  const bundleId = randomUUID();
  const claims: Fields = {
    stampId: stamp.stampId,
    bundleId,
    sha256: sha256Hex(bytes),
    ...request,
    savedOn: new Date().toISOString(),
    ...changes,
  };
  const manifest = await signedManifest(claims, key, header);
  const path = `${stamp.path}/imports/${claims.bundleId}`;
  return { bundleId: String(claims.bundleId), bytes, claims, manifest, path };
}

export const signedManifest = (claims: unknown, key: StampKey, header: Fields = {}): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({
      alg: key.kind === "EC" ? "ES256" : "EdDSA",
      typ: "bundle-manifest+jwt",
      kid: key.keyId,
      ...header,
    })
    .sign(key.privateKey);

/** A request by somebody who holds the manifest and nothing else. */
export const carrying =
  (world: Pick<World, "send">, manifest: string): Call =>
  (method, path, body, { headers = {}, query = {} } = {}) =>
    world.send({
      method,
      path: withVersion(path, query),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        authorization: `Manifest ${manifest}`,
        ...headers,
      },
      ...bodyOf(body),
    });

/** Brings the saved bundle to the service, whole: create, upload, submit. */
export async function importSaved(
  world: Pick<World, "send">,
  stamp: StampActor,
  { path, manifest, bytes }: SavedBundle,
  carriedBy = "Carol of Contoso",
): Promise<Bundle> {
  const call = carrying(world, manifest);
  const created = bundleShape.parse(expectStatus(await call("PUT", path, { carriedBy }), 201).json);
  await stamp.upload(created, bytes);
  return bundleShape.parse(expectStatus(await call("POST", `${path}:submit`), 202).json);
}
