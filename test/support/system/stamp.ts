import { randomUUID } from "node:crypto";
import { until } from "../until.ts";
import { expectStatus } from "./expectations.ts";
import type { Answer } from "./http.ts";
import { type Bundle, bundleShape, type Consent, consentShape, type Stamp, stampShape } from "./shapes.ts";
import { type KeyKind, makeKey, type SignatureOptions, type StampKey, signed } from "./signing.ts";
import { putBlob, putBlocks } from "./storage.ts";
import { bodyOf, type CallOptions, type World, withVersion } from "./world.ts";
import { makeZip, sha256Hex } from "./zip.ts";

/** A stamp with its key: what it can do by the contract, with valid bodies that a test may override. */

export type StampOptions = {
  readonly stampId?: string;
  readonly keyKind?: KeyKind;
  readonly key?: StampKey;
  /** Fields of the registration in place of the usual ones. */
  readonly registration?: Readonly<Record<string, unknown>>;
};
export type SignedCallOptions = CallOptions & {
  /** Signs with another key. */
  readonly key?: StampKey;
  readonly signature?: SignatureOptions;
};
export type SignedCall = (method: string, path: string, body?: unknown, options?: SignedCallOptions) => Promise<Answer>;
type Fields = Readonly<Record<string, unknown>>;

export type AcceptedBundle = { readonly bundle: Bundle; readonly bundleId: string; readonly bytes: Buffer };

export type StampActor = {
  readonly stampId: string;
  readonly key: StampKey;
  /** `/stamps/{stampId}` */
  readonly path: string;
  /** Its ledger partition. */
  readonly partition: string;
  /** What was registered; `register` sends it again with changes. */
  readonly registration: Fields;
  readonly register: (changes?: Fields) => Promise<Answer>;
  /** A request signed by this stamp's key, to any path. */
  readonly call: SignedCall;
  readonly view: () => Promise<Stamp>;
  readonly enableConsent: (changes?: Fields) => Promise<Consent>;
  readonly disableConsent: (changes?: Fields) => Promise<Consent>;
  /** A valid body for a bundle of `sizeBytes` that an operator sends now; `mode: "proactive"` gives one of that mode. */
  readonly bundleRequest: (changes?: Fields) => Promise<Fields>;
  readonly bundlePath: (bundleId: string) => string;
  /** Creates a bundle of `bundleRequest(changes)`. */
  readonly createBundle: (changes?: Fields, bundleId?: string) => Promise<Bundle>;
  /** Sends the bytes to the bundle's URL: in blocks of `blockBytes`, or as one Put Blob. */
  readonly upload: (bundle: Bundle, bytes: Uint8Array, options?: { blockBytes?: number }) => Promise<void>;
  /** Submits size and hash of `bytes`, or what `changes` say. */
  readonly submit: (bundleId: string, bytes: Uint8Array, changes?: Fields) => Promise<Answer>;
  readonly bundle: (bundleId: string) => Promise<Bundle>;
  /** Polls until the bundle is in `state`; fails at once where it ended in another. */
  readonly waitFor: (bundleId: string, state: Bundle["state"]) => Promise<Bundle>;
  /** Create, upload and submit. */
  readonly submittedBundle: (changes?: Fields, bytes?: Buffer) => Promise<AcceptedBundle>;
  /** Create, upload, submit, and the verdict awaited. */
  readonly acceptedBundle: (changes?: Fields, bytes?: Buffer) => Promise<AcceptedBundle>;
  /** One that is no zip; awaited until its bytes are gone too, after which nothing changes by itself. */
  readonly rejectedBundle: () => Promise<AcceptedBundle>;
};

/** A registration's resource id, a new one each time. */
export const resourceId = (): string =>
  `/subscriptions/${randomUUID()}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/reg-${randomUUID()}`;

/** A valid registration with `key`. */
export const registrationOf = (keys: readonly StampKey[], changes: Fields = {}): Fields => ({
  displayName: "Contoso, Redmond lab",
  stampVersion: "1.2501.1.47",
  deploymentId: randomUUID(),
  cloud: "AzureCloud",
  geography: "westeurope",
  registrationResourceId: resourceId(),
  keys: keys.map(({ keyId, jwk }) => ({ keyId, jwk })),
  ...changes,
});

const ends: readonly string[] = ["accepted", "rejected", "canceled", "expired", "purged"];

/** Registers a new stamp and gives its actor. */
export async function enroll(world: World, options: StampOptions = {}): Promise<StampActor> {
  const stamp = stampActor(world, options);
  expectStatus(await stamp.register(), 201);
  return stamp;
}

/** A stamp that the service may not know yet. */
export function stampActor(world: World, options: StampOptions = {}): StampActor {
  const { stampId = randomUUID(), keyKind = "EC" } = options;
  const key = options.key ?? makeKey(keyKind);
  const path = `/stamps/${stampId}`;
  const registration = registrationOf([key], options.registration);
  const bundlePath = (bundleId: string) => `${path}/bundles/${bundleId}`;

  const call: SignedCall = async (method, requested, body, callOptions = {}) => {
    const { headers = {}, query = {}, key: otherKey = key, signature } = callOptions;
    const raw = {
      method,
      path: withVersion(requested, query),
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...bodyOf(body),
    };
    return world.send(await signed(world.origin, otherKey, raw, signature));
  };

  const decide = async (state: string, changes: Fields = {}): Promise<Consent> => {
    const body = { state, decidedBy: "operator@contoso.example", termsVersion: await world.currentTerms(), ...changes };
    const answer = await call("PUT", `${path}/consents/proactiveCollection`, body);
    if (answer.status !== 201) expectStatus(answer, 200);
    return consentShape.parse(answer.json);
  };

  const bundleRequest = async (changes: Fields = {}): Promise<Fields> => ({
    mode: "sendNow",
    ...(changes.mode === "proactive"
      ? { trigger: { faultId: "Urp.UpdateFailure", raisedOn: world.on() } }
      : {
          consent: {
            decidedBy: "operator@contoso.example",
            decidedOn: world.on(),
            termsVersion: await world.currentTerms(),
          },
        }),
    logsFrom: world.on(-4),
    logsTo: world.on(),
    collectedOn: world.on(),
    stampVersion: "1.2501.1.47",
    fileName: "AzureStackLogs-20240927104305-SAC14-ERCS01.zip",
    contentType: "application/zip",
    sizeBytes: 4096,
    ...changes,
  });

  const bundle = async (bundleId: string): Promise<Bundle> =>
    bundleShape.parse(expectStatus(await call("GET", bundlePath(bundleId)), 200).json);

  const actor: StampActor = {
    stampId,
    key,
    path,
    partition: `stamps/${stampId}`,
    registration,
    register: async (changes = {}) => (await world.person("R")).call("PUT", path, { ...registration, ...changes }),
    call,
    view: async () => stampShape.parse(expectStatus(await call("GET", path), 200).json),
    enableConsent: (changes) => decide("enabled", changes),
    disableConsent: (changes) => decide("disabled", changes),
    bundleRequest,
    bundlePath,
    createBundle: async (changes, bundleId = randomUUID()) =>
      bundleShape.parse(expectStatus(await call("PUT", bundlePath(bundleId), await bundleRequest(changes)), 201).json),
    upload: async ({ upload }, bytes, { blockBytes } = {}) => {
      if (upload === undefined) throw new Error("The bundle has no upload.");
      expectStatus(
        await (blockBytes === undefined ? putBlob(upload, bytes) : putBlocks(upload, bytes, blockBytes)),
        201,
      );
    },
    submit: (bundleId, bytes, changes = {}) =>
      call("POST", `${bundlePath(bundleId)}:submit`, {
        sizeBytes: bytes.byteLength,
        sha256: sha256Hex(bytes),
        ...changes,
      }),
    bundle,
    waitFor: (bundleId, state) =>
      until(
        `bundle ${bundleId} is ${state}`,
        async () => {
          const found = await bundle(bundleId);
          if (found.state === state) return found;
          if (ends.includes(found.state)) {
            throw new Error(`The bundle is ${found.state}, not ${state}: ${JSON.stringify(found)}`);
          }
          return undefined;
        },
        // A verification that storage kept waiting is tried again after half a minute, by the sweeper's next round.
        120_000,
      ),
    submittedBundle: async (changes, given) => {
      const bytes = given ?? (await makeZip());
      const created = await actor.createBundle({ sizeBytes: bytes.byteLength, ...changes });
      await actor.upload(created, bytes);
      const answer = expectStatus(await actor.submit(created.bundleId, bytes), 202);
      return { bundle: bundleShape.parse(answer.json), bundleId: created.bundleId, bytes };
    },
    acceptedBundle: async (changes, given) => {
      const { bundleId, bytes } = await actor.submittedBundle(changes, given);
      return { bundle: await actor.waitFor(bundleId, "accepted"), bundleId, bytes };
    },
    rejectedBundle: async () => {
      const { bundleId, bytes } = await actor.submittedBundle({}, Buffer.from("no zip"));
      await actor.waitFor(bundleId, "rejected");
      await until("its bytes are gone", async () => (await bundle(bundleId)).purge?.deletedOn !== undefined);
      return { bundle: await bundle(bundleId), bundleId, bytes };
    },
  };
  return actor;
}
