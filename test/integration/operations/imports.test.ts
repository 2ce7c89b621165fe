import { describe, expect, test } from "vitest";
import { bundleManifest } from "../../../shared/api/manifest.ts";
import { stampId } from "../../../shared/api/primitives.ts";
import { importBundle } from "../../../shared/operations/bundles/importBundle.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import {
  carrying,
  importSaved,
  type SavedBundle,
  type SavingOptions,
  saveBundle,
  signedManifest,
} from "../../support/system/imports.ts";
import { bundleShape, verificationShape } from "../../support/system/shapes.ts";
import { makeKey } from "../../support/system/signing.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { putBlob } from "../../support/system/storage.ts";
import { makeZip } from "../../support/system/zip.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Bundles that were saved locally come with their manifests: who may bring which, and what the service makes of it. */

const stageOf = useStages();
const carriedBy = "Carol of Contoso";
const dayMs = 86_400_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

const begin = (stage: Stage, { manifest, path }: SavedBundle, to = path): Promise<Answer> =>
  carrying(stage, manifest)("PUT", to, { carriedBy });

/** What bringing a bundle that was saved so is answered. */
async function brought(stage: Stage, stamp: StampActor, options: SavingOptions): Promise<Answer> {
  return await begin(stage, await saveBundle(stamp, options));
}

async function accepted(stage: Stage, stamp: StampActor, saved: SavedBundle) {
  await importSaved(stage, stamp, saved, carriedBy);
  await stage.verify({ stampId: stamp.stampId, bundleId: saved.bundleId });
  return bundleShape.parse(expectStatus(await carrying(stage, saved.manifest)("GET", saved.path), 200).json);
}

describe("a manifest", () => {
  test.each(["EC", "OKP"] as const)("by an %s key brings its bundle in, days after it was signed", async (keyKind) => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp({ keyKind });
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    const saved = await saveBundle(stamp, { claims: { caseNumber: supportCase.caseNumber } });
    const later = stage.another({ real: () => new Date(Date.now() + 5 * dayMs) });
    expectStatus(await begin(later, saved), 201);
    // Storage keeps its own time, and takes no URL of that one.
    const { upload } = bundleShape.parse(expectStatus(await begin(stage, saved), 200).json);
    await putBlob(upload ?? expect.fail("It has no upload."), saved.bytes);
    expectStatus(await carrying(later, saved.manifest)("POST", `${saved.path}:submit`), 202);
    await stage.verify({ stampId: stamp.stampId, bundleId: saved.bundleId });
    const bundle = bundleShape.parse((await carrying(later, saved.manifest)("GET", saved.path)).json);
    expect(bundle).toMatchObject({
      mode: "savedLocally",
      state: "accepted",
      sha256: saved.claims.sha256,
      consentDecision: { basis: "operator" },
      links: [{ caseNumber: supportCase.caseNumber }],
      custody: { signedOn: saved.claims.savedOn, keyId: stamp.key.keyId, carriedBy },
    });
    expect(bundle.upload).toBeUndefined();
  });

  test("leaves the chain of custody with the stamp and the auditor, and no name in the ledger [invariant 9]", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    const { custody } = await accepted(stage, stamp, saved);
    const auditor = await stage.person("A");
    const byAuditor = bundleShape.parse((await auditor.call("GET", stamp.bundlePath(saved.bundleId))).json);
    expect((await stamp.bundle(saved.bundleId)).custody).toEqual(custody);
    expect(byAuditor.custody).toEqual(custody);

    const events = await stage.events(stamp.partition);
    const created = events.find(({ type }) => type === "bundle.created");
    expect(created).toMatchObject({
      actor: { kind: "stamp", id: stamp.stampId },
      data: {
        mode: "savedLocally",
        signedOn: saved.claims.savedOn,
        keyId: stamp.key.keyId,
        carriedBy: custody?.carrier,
      },
    });
    expect(JSON.stringify(events)).not.toMatch(/Carol|operator@contoso/);
    expect(stage.logged.join()).not.toContain(saved.manifest.slice(-40));

    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `/people/${custody?.carrier}:forget`), 204);
    const { carriedBy: _name, ...left } = custody ?? {};
    expect((await stamp.bundle(saved.bundleId)).custody).toEqual(left);
  });

  test("brought twice has one effect, and a fresh URL while the bundle is created", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    const first = bundleShape.parse(expectStatus(await begin(stage, saved), 201).json);
    const again = bundleShape.parse(
      expectStatus(await carrying(stage, saved.manifest)("PUT", saved.path, { carriedBy: "Dave" }), 200).json,
    );
    expect(first.upload).toBeDefined();
    expect(again.upload).toBeDefined();
    expect(again.custody).toEqual(first.custody);
    // The same claims under another signature are the same manifest.
    const signedAnew = await signedManifest(saved.claims, stamp.key);
    expectStatus(await carrying(stage, signedAnew)("PUT", saved.path, { carriedBy }), 200);

    await stamp.upload(again, saved.bytes);
    const submit = () => carrying(stage, saved.manifest)("POST", `${saved.path}:submit`);
    const answer = expectStatus(await submit(), 202);
    expect(answer.headers["operation-location"]).toContain(`${saved.path}/verification?api-version=`);
    expectStatus(await submit(), 202);
    await stage.verify({ stampId: stamp.stampId, bundleId: saved.bundleId });
    const late = bundleShape.parse(expectStatus(await begin(stage, saved), 200).json);
    expect(late).toMatchObject({ state: "accepted" });
    expect(late.upload).toBeUndefined();
    expect((await stage.events(stamp.partition)).filter(({ type }) => type === "bundle.created")).toHaveLength(1);
  });

  test("of other content under the same bundle id is 409 BundleConflict, and reads and submits nothing", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    expectStatus(await begin(stage, saved), 201);
    const other = await saveBundle(stamp, { claims: { bundleId: saved.bundleId } });
    expectRefusal(await begin(stage, other), 409, "BundleConflict");
    const call = carrying(stage, other.manifest);
    for (const path of [other.path, `${other.path}/verification`]) {
      expectRefusal(await call("GET", path), 409, "BundleConflict");
    }
    expectRefusal(await call("POST", `${other.path}:submit`), 409, "BundleConflict");

    const own = await stamp.createBundle({ mode: "savedLocally" });
    const ofOwn = await saveBundle(stamp, { claims: { bundleId: own.bundleId } });
    expectRefusal(await begin(stage, ofOwn), 409, "BundleConflict");
    expectRefusal(await carrying(stage, ofOwn.manifest)("GET", ofOwn.path), 409, "BundleConflict");
  });

  test("that was not imported yet reads and submits nothing", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const { manifest, path } = await saveBundle(stamp);
    expectRefusal(await carrying(stage, manifest)("GET", path), 404, "NotFound");
    expectRefusal(await carrying(stage, manifest)("POST", `${path}:submit`), 404, "NotFound");
  });

  test("with a swapped file ends rejected, and says so to its carrier", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const bytes = await makeZip();
    const swapped = Buffer.from(bytes.toReversed());
    const saved = await saveBundle(stamp, { bytes });
    const bundle = await accepted(stage, stamp, { ...saved, bytes: swapped });
    expect(bundle).toMatchObject({ state: "rejected", rejection: { code: "DigestMismatch" } });
    const verification = await carrying(stage, saved.manifest)("GET", `${saved.path}/verification`);
    expect(verificationShape.parse(verification.json)).toMatchObject({
      status: "Failed",
      error: { code: "DigestMismatch" },
    });
  });
});

describe("a manifest is refused", () => {
  test("that was edited: 401 SignatureInvalid", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    const [header, , signature] = saved.manifest.split(".");
    const edited = Buffer.from(JSON.stringify({ ...saved.claims, caseNumber: "2211280040006230" })).toString(
      "base64url",
    );
    expectRefusal(
      await begin(stage, { ...saved, manifest: `${header}.${edited}.${signature}` }),
      401,
      "SignatureInvalid",
    );
    // Signed by another key in the name of a registered one.
    expectRefusal(
      await brought(stage, stamp, { key: { ...makeKey(), keyId: stamp.key.keyId } }),
      401,
      "SignatureInvalid",
    );
  });

  test.each<readonly [string, SavingOptions]>([
    ["another type", { header: { typ: "JWT" } }],
    ["no keyId", { header: { kid: "not a key/id" } }],
    ["an unknown claim", { claims: { mode: "savedLocally" } }],
    ["no digest", { claims: { sha256: undefined } }],
    ["no consent", { claims: { consent: undefined } }],
    ["an end before its start", { claims: { logsFrom: "2026-11-02T00:00:00Z", logsTo: "2026-11-01T00:00:00Z" } }],
    [
      "more than a header holds",
      { claims: { roles: Array.from({ length: 200 }, (_, at) => `Role-${at}-${"x".repeat(40)}`) } },
    ],
  ])("with %s: 401 SignatureMalformed", async (_what, options) => {
    const stage = stageOf();
    expectRefusal(await brought(stage, await stage.registeredStamp(), options), 401, "SignatureMalformed");
  });

  test.each(["", "x", "a.b.c", "e30.e30.", `${"a".repeat(30)}.e30.e30`])(
    "that is none, %j: 401 SignatureMalformed",
    async (manifest) => {
      const stage = stageOf();
      const saved = await saveBundle(await stage.registeredStamp());
      expectRefusal(await begin(stage, { ...saved, manifest }), 401, "SignatureMalformed");
    },
  );

  test("for another stamp than the path: 401", async () => {
    const stage = stageOf();
    const [stamp, other] = [await stage.registeredStamp(), await stage.registeredStamp()];
    const saved = await saveBundle(stamp);
    expectRefusal(await begin(stage, saved, `${other.path}/imports/${saved.bundleId}`), 401, "KeyUnknown");
    const inOthersName = await saveBundle(stamp, { claims: { stampId: other.stampId } });
    expectRefusal(await begin(stage, inOthersName), 401, "SignatureInvalid");
    expectRefusal(
      await begin(stage, saved, `/stamps/${crypto.randomUUID()}/imports/${saved.bundleId}`),
      401,
      "KeyUnknown",
    );
  });

  test("for another bundle than the path: 401 SignatureInvalid", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const [one, other] = [await saveBundle(stamp), await saveBundle(stamp)];
    expectRefusal(await begin(stage, one, other.path), 401, "SignatureInvalid");
  });

  test("by a key that was not registered when it signed: 401 KeyUnknown", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    expectRefusal(await brought(stage, stamp, { key: makeKey() }), 401, "KeyUnknown");
    expectRefusal(await brought(stage, stamp, { claims: { savedOn: ago(3 * dayMs) } }), 401, "KeyUnknown");
  });

  test("by a key that was retired when it signed, and by none that was retired since", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    const next = makeKey();
    expectStatus(await stamp.register({ keys: [{ keyId: next.keyId, jwk: next.jwk }] }), 200);
    expectStatus(await begin(stage, saved), 201);
    const signedLater = { claims: { savedOn: new Date(Date.now() + 1000).toISOString() } };
    expectRefusal(await brought(stage, stamp, signedLater), 401, "KeyRetired");
  });

  test("outside its key's validity: 401 KeyRetired", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const bound = async (validity: object) => {
      const key = makeKey();
      const said = { keyId: key.keyId, jwk: key.jwk, ...validity };
      expectStatus(await stamp.register({ keys: [said] }), 200);
      return await brought(stage, stamp, { key });
    };
    expectRefusal(await bound({ notBefore: ago(-dayMs) }), 401, "KeyRetired");
    expectRefusal(await bound({ notAfter: ago(1000) }), 401, "KeyRetired");
  });

  test("signed in the future: 401 SignatureNotYetValid", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    expectRefusal(await brought(stage, stamp, { claims: { savedOn: ago(-120_000) } }), 401, "SignatureNotYetValid");
    expectStatus(await brought(stage, stamp, { claims: { savedOn: ago(-20_000) } }), 201);
  });

  test("of a disabled stamp: 403 StampDisabled; a lost one's carrier may still read, a compromised one's not", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    expectStatus(await begin(stage, saved), 201);
    const registrar = await stage.person("R");
    const call = carrying(stage, saved.manifest);
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
    expectRefusal(await begin(stage, saved), 403, "StampDisabled");
    expectStatus(await call("GET", saved.path), 200);
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "compromised" }), 200);
    expectRefusal(await call("GET", saved.path), 403, "StampDisabled");
    expectRefusal(await call("POST", `${saved.path}:submit`), 403, "StampDisabled");
  });

  test("of a stamp that was disabled after it was authenticated: the head that is committed under decides", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    const id = stampId.parse(stamp.stampId);
    const manifest = bundleManifest.parse(saved.claims);
    const head = await stage.app.world.stamps.head(id);
    const caller = {
      kind: "manifest",
      stampId: id,
      keyId: stamp.key.keyId,
      clientVersion: undefined,
      manifest,
      head,
    } as const;
    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
    await expect(importBundle(stage.app.world, caller, { carriedBy }, { ifMatch: undefined })).rejects.toMatchObject({
      code: "StampDisabled",
    });
  });

  test("without one: 401 TokenMissing; a token or the stamp's own signature is none", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const { path, manifest } = await saveBundle(stamp);
    expectRefusal(await stage.anonymous("GET", path), 401, "TokenMissing");
    expectRefusal(await stamp.call("GET", path), 401, "TokenMissing");
    const auditor = await stage.person("A");
    expectRefusal(await auditor.call("GET", path), 403, "RoleMissing");
    expectRefusal(await carrying(stage, manifest)("GET", stamp.path), 401, "TokenInvalid");
  });

  test("over a limit on rates: 429 with the rule's name, as for any other bundle, and never for a repeat", async () => {
    const stage = stageOf({ settings: { RATE_LIMITS: "on", STAMP_MAX_OPEN_UPLOADS: "1" } });
    const stamp = await stage.registeredStamp();
    const saved = await saveBundle(stamp);
    expectStatus(await begin(stage, saved), 201);
    const refused = await brought(stage, stamp, {});
    expectRefusal(refused, 429, "TooManyRequests");
    expect(refused.headers["retry-after"]).toMatch(/^\d+$/);
    expect(refused.text).toContain("openUploads");
    expectStatus(await begin(stage, saved), 200);
  });

  test("under terms that nobody published: 400 InvalidBody, as for any other bundle", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const consent = { decidedBy: "operator@contoso.example", decidedOn: ago(1000), termsVersion: "1999-01-01" };
    expectRefusal(await brought(stage, stamp, { claims: { consent } }), 400, "InvalidBody");
  });
});
