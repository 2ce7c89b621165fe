import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { signed } from "../support/system/signing.ts";
import { type StampActor, stampActor } from "../support/system/stamp.ts";
import { getBlob, storageConnection } from "../support/system/storage.ts";
import { openWorld, type Person, type World, withVersion } from "../support/system/world.ts";

/** The service as two apps on one storage: each answers what its role is for, and names the other for the rest. */

/** Where access says that stamps are served; the running intake is at another origin, which is known too late. */
const namedIntake = "https://intake.example.com";

let access: World;
let intake: World;
let stamp: StampActor;
let auditor: Person;
beforeAll(async () => {
  access = await openWorld({ APP_ROLE: "access", OTHER_APP_ORIGIN: namedIntake });
  intake = await openWorld({
    APP_ROLE: "intake",
    OTHER_APP_ORIGIN: access.origin,
    AzureWebJobsStorage: await storageConnection(access.service.directory),
  });
  stamp = stampActor(intake);
  const registrar = await access.person("R");
  expectStatus(await registrar.call("PUT", stamp.path, stamp.registration), 201);
  auditor = await access.person("A");
});
afterAll(async () => {
  await intake?.close();
  await access?.close();
});

/** A request of the stamp to access, signed for it. */
const signedToAccess = async (method: string, path: string) =>
  access.send(await signed(access.origin, stamp.key, { method, path: withVersion(path) }));

describe("a bundle's life", () => {
  it("goes through both: intake takes and verifies it, access lends it, and its timers run there", async () => {
    const { bundle, bytes } = await stamp.acceptedBundle();
    const supportCase = await access.openCase({ stampIds: [stamp.stampId] });
    await supportCase.link(bundle);
    const { grantId } = await supportCase.grant([bundle]);
    const lent = await getBlob(await supportCase.url(grantId, bundle));
    expect(lent.body.equals(bytes)).toBe(true);
    await access.runTimer("purgeDue");
  });
});

describe("a route that is the other's alone is a 404 that names its origin", () => {
  it.each([
    ["GET", "/cases"],
    ["PUT", "/cases/123456789012345"],
    ["GET", "/stamps"],
    ["GET", "/Stamps/"],
    ["POST", "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11:disable"],
    ["GET", "/compliance/retention"],
  ])("intake: %s %s, whatever the credential", async (method, path) => {
    const { token } = auditor;
    for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
      const answer = await intake.anonymous(method, path, method === "PUT" ? {} : undefined, { headers });
      expect(expectRefusal(answer, 404, "NotFound").message).toContain(access.origin);
    }
  });

  it.each([
    ["POST", "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11:rotateKey"],
    ["PUT", "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11/bundles/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c12"],
    ["GET", "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11/collectionOptions"],
    ["GET", "/stamps/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11/imports/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c12"],
  ])("access: %s %s, signed or not", async (method, path) => {
    for (const answer of [await access.anonymous(method, path), await signedToAccess(method, path)]) {
      expect(expectRefusal(answer, 404, "NotFound").message).toContain(namedIntake);
    }
  });

  it("a route that neither has is a 404 that names none", async () => {
    for (const [world, other] of [
      [intake, access.origin],
      [access, namedIntake],
    ] as const) {
      for (const path of ["/nothing", "/cases/1/nothing", `${stamp.path}:nothing`]) {
        const { message } = expectRefusal(await world.anonymous("DELETE", path), 404, "NotFound");
        expect(message).not.toContain(other);
      }
    }
  });
});

describe("a route that stamps and people share", () => {
  it("takes the stamp's signature at intake, and a token at access", async () => {
    expectStatus(await stamp.call("GET", stamp.path), 200);
    expectStatus(await auditor.call("GET", stamp.path), 200);
  });

  it("refuses every bearer at intake, valid or not, as one on a stamp-only route, and names access", async () => {
    const own = await intake.person("A");
    for (const token of [auditor.token, own.token, "junk"]) {
      const headers = { authorization: `Bearer ${token}` };
      for (const path of [stamp.path, `${stamp.path}/bundles`, `${stamp.path}/accesses`]) {
        const answer = await intake.anonymous("GET", path, undefined, { headers });
        expect(expectRefusal(answer, 403, "RoleMissing").message).toContain(access.origin);
      }
    }
    const answer = await intake.anonymous(
      "POST",
      `${stamp.path}:rotateKey`,
      {},
      {
        headers: { authorization: `Bearer ${auditor.token}` },
      },
    );
    expectRefusal(answer, 403, "RoleMissing");
  });

  it("refuses every signature at access, as a request without a token, and names intake", async () => {
    for (const path of [stamp.path, `${stamp.path}/bundles`, `${stamp.path}/consents/proactiveCollection`]) {
      const answer = await signedToAccess("GET", path);
      expect(expectRefusal(answer, 401, "TokenMissing").message).toContain(namedIntake);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
  });

  it("asks for its own kind of credential where none is brought, and refuses both at once", async () => {
    const unsigned = await intake.anonymous("GET", stamp.path);
    expectRefusal(unsigned, 401, "SignatureMissing");
    expect(unsigned.headers["www-authenticate"]).not.toContain("Bearer");
    expectRefusal(await access.anonymous("GET", stamp.path), 401, "TokenMissing");
    const headers = { authorization: `Bearer ${auditor.token}` };
    expectRefusal(await stamp.call("GET", stamp.path, undefined, { headers }), 401, "TokenInvalid");
  });
});

describe("what anyone may read", () => {
  it.each(["/health", "/openapi.json", "/terms", "/.well-known/jwks.json"])("%s is at both", async (path) => {
    for (const world of [intake, access]) expectStatus(await world.send({ method: "GET", path }), 200);
  });
});

describe("timers and queues", () => {
  const named = async (world: World) => (await world.send({ method: "GET", path: "/admin/functions" })).json;

  it("run in one app only: what deletes and lends in access, what verifies in intake", async () => {
    const [ofIntake, ofAccess] = [await named(intake), await named(access)];
    for (const name of ["purgeDue", "reconcile", "sealCheckpoint", "extractFile", "Grants_IssueUrl"]) {
      expect(ofAccess, name).toContainEqual({ name });
      expect(ofIntake, name).not.toContainEqual({ name });
    }
    for (const name of ["verifyBundle", "verifyBundlePoisoned", "noteArrival", "Bundles_Put"]) {
      expect(ofIntake, name).toContainEqual({ name });
      expect(ofAccess, name).not.toContainEqual({ name });
    }
  });
});
