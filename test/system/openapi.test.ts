import { randomUUID } from "node:crypto";
import { CompactSign } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { approve, deny, setApproval } from "../support/system/approvals.ts";
import { type ApiDocument, readDocument } from "../support/system/document.ts";
import { openDropBox } from "../support/system/dropBoxes.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { carrying, importSaved, saveBundle } from "../support/system/imports.ts";
import { dropBoxBundleShape } from "../support/system/shapes.ts";
import { makeKey } from "../support/system/signing.ts";
import { openWorld, readAll, type World, withVersion } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** The OpenAPI document: it lists every route of API.md, and every request and answer of a bundle's life is as it says. */

let world: World;
let api: ApiDocument;
/** Operations that have answered with a success, once the life has been lived. */
const succeeded = new Set<string>();
beforeAll(async () => {
  world = await openWorld(
    { ERASE_DELAY_HOURS: "24" },
    {
      onAnswer: ({ method, path }, answer) => {
        if (api === undefined || path.startsWith("/admin/")) return;
        api.check({ method, path }, answer);
        const found = api.find(method, path);
        if (found !== undefined && answer.status < 300) succeeded.add(found.operationId);
      },
    },
  );
  api = await readDocument(world);
});
afterAll(() => world.close());

/** The table of API.md, and what the contract has grown by since: who may call what. */
const signature = "stampSignature";
const manifest = "bundleManifest";
const [R, C, E, A] = ["Registration.Manage", "Cases.Sync", "Support.Engineer", "Compliance.Audit"];
const stamp = "/stamps/{stampId}";
const consent = `${stamp}/consents/proactiveCollection`;
const bundle = `${stamp}/bundles/{bundleId}`;
const saved = `${stamp}/imports/{bundleId}`;
const supportCase = "/cases/{caseNumber}";
const linked = `${supportCase}/stamps/{stampId}/bundles/{bundleId}`;
const dropBox = `${supportCase}/dropBoxes/{dropBoxId}`;
const arrival = `${dropBox}/bundles/{bundleId}`;
const grant = `${supportCase}/accessGrants/{grantId}`;
const table: readonly [verb: string, path: string, who: readonly (string | undefined)[], takesBody?: "body"][] = [
  ["put", stamp, [R], "body"],
  ["get", stamp, [signature, R, A]],
  ["get", "/stamps", [R, A]],
  ["post", `${stamp}:rotateKey`, [signature], "body"],
  ["post", `${stamp}:disable`, [R], "body"],
  ["post", `${stamp}:enable`, [R]],
  ["get", `${stamp}/collectionOptions`, [signature]],
  ["post", `${stamp}:checkUpload`, [signature], "body"],
  ["put", consent, [signature], "body"],
  ["get", consent, [signature, A]],
  ["get", `${consent}/decisions`, [signature, A]],
  ["put", bundle, [signature], "body"],
  ["get", bundle, [signature, A]],
  ["get", `${stamp}/bundles`, [signature, A]],
  ["post", `${bundle}:renewUpload`, [signature]],
  ["post", `${bundle}:submit`, [signature], "body"],
  ["get", `${bundle}/verification`, [signature, A]],
  ["post", `${bundle}:cancel`, [signature]],
  ["post", `${bundle}:erase`, [signature], "body"],
  ["get", `${bundle}/erasure`, [signature, A]],
  ["post", `${bundle}:cancelErase`, [signature], "body"],
  ["get", `${bundle}/deletionCertificate`, [signature, A]],
  ["put", saved, [manifest], "body"],
  ["get", saved, [manifest]],
  ["post", `${saved}:submit`, [manifest]],
  ["get", `${saved}/verification`, [manifest]],
  ["get", `${stamp}/accesses`, [signature, A]],
  ["get", `${stamp}/accessGrants`, [signature, A]],
  ["get", `${stamp}/accessApproval`, [signature, A]],
  ["put", `${stamp}/accessApproval`, [signature], "body"],
  ["get", `${stamp}/accessRequests`, [signature, A]],
  ["post", `${stamp}/accessRequests/{grantId}:approve`, [signature], "body"],
  ["post", `${stamp}/accessRequests/{grantId}:deny`, [signature], "body"],
  ["get", `${linked}/files`, [E]],
  ["post", `${linked}/files:extract`, [E], "body"],
  ["get", `${linked}/extractions/{extractionId}`, [E]],
  ["get", `${supportCase}/dropBoxes`, [C, A, E]],
  ["get", dropBox, [C, A, E]],
  ["put", dropBox, [C, E], "body"],
  ["post", `${dropBox}:close`, [C, E]],
  ["post", `${arrival}:erase`, [C], "body"],
  ["get", `${arrival}/erasure`, [C, A]],
  ["post", `${arrival}:cancelErase`, [C], "body"],
  ["put", supportCase, [C], "body"],
  ["get", supportCase, [C, A, E]],
  ["get", "/cases", [C, A, E]],
  ["get", `${supportCase}/bundles`, [C, A, E]],
  ["put", `${supportCase}${bundle}`, [C, E]],
  ["delete", `${supportCase}${bundle}`, [C, E]],
  ["put", grant, [E], "body"],
  ["get", `${supportCase}/accessGrants`, [C, A, E]],
  ["get", grant, [C, A, E]],
  ["post", `${grant}:issueUrl`, [E], "body"],
  ["post", `${grant}:revoke`, [C, E]],
  ["get", "/compliance/retention", [A]],
  ["get", "/compliance/events", [A]],
  ["get", "/compliance/accesses", [A]],
  ["get", "/compliance/checkpoints", [A]],
  ["get", "/compliance/checkpoints/{seq}/leaves", [A]],
  ["get", "/compliance/checkpoints/{seq}/proof", [A]],
  ["post", "/people/{subjectId}:forget", [R]],
  ["get", "/health", []],
  ["get", "/openapi.json", []],
  ["get", "/.well-known/jwks.json", []],
  ["get", "/terms", []],
  ["get", "/terms/{version}", []],
];

describe("the document", () => {
  it("is OpenAPI 3.1 of this version", () => {
    expect(api.raw.openapi).toMatch(/^3\.1\.\d+$/);
    expect(api.raw.info.version).toBe("2026-11-01");
  });

  it.each(table)("has %s %s", (verb, path, who, takesBody) => {
    const found = api.operations.find((each) => each.verb === verb && each.path === path);
    if (found === undefined) throw new Error("not documented");
    const allowed = found.security.flatMap((requirement) =>
      Object.entries(requirement).flatMap(([scheme, roles]) =>
        scheme === signature || scheme === manifest ? [scheme] : roles,
      ),
    );
    expect(allowed.toSorted()).toEqual(who.toSorted());
    expect(found.requestBody !== undefined).toBe(takesBody === "body");
  });

  it("has no operation that the contract does not have", () => {
    for (const { verb, path } of api.operations) {
      const listed = table.some(([each, of]) => each === verb && of === path);
      expect(listed, `${verb} ${path}`).toBe(true);
    }
  });

  it("names each operation once, as Resource_Action", () => {
    const ids = api.operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[A-Z][A-Za-z]+_[A-Z][A-Za-z]+$/);
  });

  it("gives each operation a security requirement, a default error and a success", () => {
    for (const operation of api.operations) {
      const { operationId, security } = operation;
      const responses = api.responsesOf(operation);
      expect(security.length, operationId).toBeGreaterThan(0);
      for (const requirement of security) {
        for (const scheme of Object.keys(requirement))
          expect(api.raw.components.securitySchemes).toHaveProperty(scheme);
      }
      expect(responses.get("default")?.content, operationId).toHaveProperty("application/json");
      expect(
        [...responses.keys()].some((status) => /^2\d\d$/.test(status)),
        operationId,
      ).toBe(true);
    }
  });

  it("names the status of each refusal's code, the same in every operation that lists it", () => {
    const statuses = new Map<string, Set<number>>();
    for (const operation of api.operations) {
      for (const status of [...api.responsesOf(operation).keys()].map(Number).filter((each) => each >= 400)) {
        const codes = api.codesOf(operation, status);
        expect(codes.length, `${operation.operationId} ${status}`).toBeGreaterThan(0);
        for (const code of codes) statuses.set(code, (statuses.get(code) ?? new Set()).add(status));
      }
    }
    expect(Object.fromEntries([...statuses].map(([code, of]) => [code, [...of]]))).toMatchObject({
      InvalidParameter: [400],
      SignatureMalformed: [401],
      DigestMismatch: [401],
      RoleMissing: [403],
      PurgeDue: [403],
      NotFound: [404],
      NotYetDeleted: [409],
      LengthRequired: [411],
      ConditionNotMet: [412],
      BodyTooLarge: [413],
      UnsupportedMediaType: [415],
      TooManyRequests: [429],
      InternalError: [500],
      ServiceUnavailable: [503],
    });
    for (const [code, of] of statuses) expect([code, of.size]).toEqual([code, 1]);
  });

  it("asks a reader of what is open to anyone for no credential: such an operation lists neither 401 nor 403", () => {
    for (const operation of api.operations) {
      const isOpen = operation.security.every((requirement) => Object.keys(requirement).length === 0);
      const listed = api.responsesOf(operation);
      expect([listed.has("401"), listed.has("403")], operation.operationId).toEqual([!isOpen, !isOpen]);
    }
  });

  it("has every parameter of every path, and api-version where it is needed", () => {
    for (const each of api.operations) {
      const parameters = api.parametersOf(each);
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => name).toSorted()).toEqual(
        [...each.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").toSorted(),
      );
      for (const { required } of inPath) expect(required).toBe(true);
      const version = parameters.find(({ name }) => name === "api-version");
      const isOpen = each.security.every((requirement) => Object.keys(requirement).length === 0);
      expect(version?.required ?? false, each.operationId).toBe(!isOpen);
    }
  });

  it("points to nothing that is not in it", () => {
    for (const [, target = ""] of api.text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = target.split("/").reduce<unknown>((at, key) => new Map(Object.entries(at ?? {})).get(key), api.raw);
      expect(found, target).toBeDefined();
    }
  });

  it("lets answers grow: clients made from it bear fields that they do not know", () => {
    const answers = api.operations.flatMap((each) => [...api.responsesOf(each).values()].map(({ content }) => content));
    const schemas: Readonly<Record<string, unknown>> = api.raw.components.schemas;
    const closed = new Set<string>();
    const visit = (at: unknown, where: string, seen: readonly string[]): void => {
      if (typeof at !== "object" || at === null) return;
      for (const [key, value] of Object.entries(at)) {
        if (key === "additionalProperties" && value === false) closed.add(where);
        const name = key === "$ref" ? (/schemas\/(.+)$/.exec(String(value))?.[1] ?? "") : "";
        if (name !== "" && !seen.includes(name)) visit(schemas[name], name, [...seen, name]);
        else visit(value, where, seen);
      }
    };
    visit(answers, "an answer", []);
    // A key's members are those of its own standard.
    expect([...closed]).toEqual(["PublicJwk"]);
  });
});

describe("a bundle's life", () => {
  it("is as the document says, in every operation", async () => {
    const registrar = await world.person("R");
    const auditor = await world.person("A");
    const caseSystem = await world.person("C");
    const us = await world.registeredStamp();

    const next = makeKey("OKP");
    const claims = Buffer.from(JSON.stringify({ stampId: us.stampId, keyId: next.keyId }));
    const proof = await new CompactSign(claims).setProtectedHeader({ alg: "EdDSA" }).sign(next.privateKey);
    const rotation = { keyId: next.keyId, jwk: next.jwk, proof, retireCurrentOn: world.on(24) };
    expectStatus(await us.call("POST", `${us.path}:rotateKey`, rotation), 200);
    await us.enableConsent();
    for (const path of [
      "collectionOptions",
      "consents/proactiveCollection",
      "consents/proactiveCollection/decisions",
    ]) {
      expectStatus(await us.call("GET", `${us.path}/${path}`), 200);
    }
    expectStatus(await registrar.call("GET", "/stamps"), 200);
    expectStatus(await registrar.call("GET", us.path), 200);

    expectStatus(await us.call("POST", `${us.path}:checkUpload`, {}), 200);
    const spare = await us.createBundle({ mode: "proactive", roles: ["Storage"] });
    expectStatus(await us.call("POST", `${us.bundlePath(spare.bundleId)}:renewUpload`), 200);
    expectStatus(await us.call("POST", `${us.bundlePath(spare.bundleId)}:cancel`), 200);
    const rejected = await us.rejectedBundle();
    const { bundleId } = await us.acceptedBundle({ mode: "proactive" });
    const named = { stampId: us.stampId, bundleId };
    for (const path of [us.bundlePath(bundleId), `${us.bundlePath(bundleId)}/verification`, `${us.path}/bundles`]) {
      expectStatus(await auditor.call("GET", path), 200);
    }

    const carried = await saveBundle(us);
    await importSaved(world, us, carried);
    for (const path of [carried.path, `${carried.path}/verification`]) {
      expectStatus(await carrying(world, carried.manifest)("GET", path), 200);
    }

    const theCase = await world.openCase({ stampIds: [us.stampId], fields: { title: "Update fails" } });
    const candidates = { query: { candidates: "true" } };
    expectStatus(await theCase.engineer.call("GET", `${theCase.path}/bundles`, undefined, candidates), 200);
    expectStatus(await theCase.link(named), 201);
    expectStatus(await theCase.link(named), 200);
    const { grantId } = await theCase.grant([named]);
    await theCase.url(grantId, named);
    for (const path of ["", "/bundles", "/accessGrants", `/accessGrants/${grantId}`]) {
      expectStatus(await caseSystem.call("GET", `${theCase.path}${path}`), 200);
    }
    expectStatus(await caseSystem.call("GET", "/cases"), 200);
    for (const list of ["accesses", "accessGrants"]) expectStatus(await us.call("GET", `${us.path}/${list}`), 200);

    const files = z.looseObject({ value: z.array(z.looseObject({ path: z.string() })).min(1) });
    const listed = await theCase.engineer.call("GET", `${theCase.linkPath(named)}/files`);
    const path = files.parse(expectStatus(listed, 200).json).value[0]?.path;
    const extracted = await theCase.engineer.call("POST", `${theCase.linkPath(named)}/files:extract`, { path });
    const { id } = z.looseObject({ id: z.string() }).parse(expectStatus(extracted, 200).json);
    expectStatus(await theCase.engineer.call("GET", `${theCase.linkPath(named)}/extractions/${id}`), 200);

    const box = await openDropBox(world, theCase);
    expectStatus(await caseSystem.call("GET", `${theCase.path}/dropBoxes`), 200);
    expectStatus(await caseSystem.call("GET", box.path), 200);
    await box.write("logs.zip", await makeZip());
    await box.close();
    const arrived = await until("what arrived to be accepted", async () => {
      const bundles = await readAll(theCase.engineer.call, `${theCase.path}/bundles`);
      const ofBox = bundles.map((bundle) => dropBoxBundleShape.safeParse(bundle).data);
      return ofBox.find((bundle) => bundle?.state === "accepted");
    });
    const why = { decidedBy: "operator", reason: "sent by mistake" };
    const arrivalPath = `${box.path}/bundles/${arrived.bundleId}`;
    expectStatus(await caseSystem.call("POST", `${arrivalPath}:erase`, why), 202);
    expectStatus(await caseSystem.call("GET", `${arrivalPath}/erasure`), 200);
    expectStatus(await caseSystem.call("POST", `${arrivalPath}:cancelErase`, why), 200);

    expectStatus(await us.call("GET", `${us.path}/accessApproval`), 200);
    expectStatus(await setApproval(us, "required"), 200);
    const waiting = await theCase.grant([named]);
    expectStatus(await us.call("GET", `${us.path}/accessRequests`), 200);
    expectStatus(await approve(us, waiting.grantId), 200);
    expectStatus(await deny(us, waiting.grantId), 200);

    expectStatus(await theCase.engineer.call("POST", `${theCase.path}/accessGrants/${grantId}:revoke`), 200);
    expectStatus(await theCase.unlink(named), 204);
    await theCase.close();

    expectStatus(await us.call("POST", `${us.bundlePath(bundleId)}:erase`, why), 202);
    expectStatus(await us.call("GET", `${us.bundlePath(bundleId)}/erasure`), 200);
    expectStatus(await us.call("POST", `${us.bundlePath(bundleId)}:cancelErase`, why), 200);
    for (const action of ["disable", "enable"]) {
      const body = action === "disable" ? { reason: "lost" } : undefined;
      expectStatus(await registrar.call("POST", `${us.path}:${action}`, body), 200);
    }
    await until("the deletion certificate of the rejected bundle", async () => {
      const { status } = await auditor.call("GET", `${us.bundlePath(rejected.bundleId)}/deletionCertificate`);
      return status === 200;
    });
    await world.runTimer("sealCheckpoint");
    for (const list of ["retention", "events", "accesses", "checkpoints", "checkpoints/1/leaves"]) {
      expectStatus(await auditor.call("GET", `/compliance/${list}`), 200);
    }
    const ours = { query: { partition: us.partition } };
    expectStatus(await auditor.call("GET", "/compliance/checkpoints/1/proof", undefined, ours), 200);
    const decided = (await world.events(us.partition)).find(({ type }) => type === "consent.decided");
    const forgotten = await registrar.call("POST", `/people/${String(decided?.data.decidedBy)}:forget`);
    expect(forgotten.status, forgotten.text).toBeLessThan(300);
    for (const path of ["/health", "/.well-known/jwks.json", "/terms", `/terms/${await world.currentTerms()}`]) {
      expectStatus(await world.send({ method: "GET", path }), 200);
    }
    expectStatus(await world.send({ method: "GET", path: "/openapi.json" }), 200);

    expect(api.operations.map(({ operationId }) => operationId).filter((id) => !succeeded.has(id))).toEqual([]);
  });
});

it("bodies that the service takes are bodies that the document takes", async () => {
  const us = await world.registeredStamp();
  const bodies: readonly [string, string, unknown][] = [
    ["put", stamp, us.registration],
    ["put", bundle, await us.bundleRequest()],
    ["put", bundle, await us.bundleRequest({ mode: "proactive" })],
    ["post", `${stamp}:disable`, { reason: "lost" }],
    ["put", saved, { carriedBy: "Carol of Contoso" }],
    ["post", `${bundle}:submit`, { sizeBytes: 1, sha256: "0".repeat(64) }],
  ];
  for (const [verb, path, body] of bodies) {
    const found = api.operations.find((each) => each.verb === verb && each.path === path);
    if (found === undefined) throw new Error(`${verb} ${path} is not documented`);
    expect(api.takes(found, body), `${found.operationId} ${JSON.stringify(body)}`).toBe(true);
    expect(api.takes(found, { unknown: 1 })).toBe(false);
  }
});

it("every operation of the document is served: none is an unknown route", async () => {
  const guids = { stampId: randomUUID(), bundleId: randomUUID(), grantId: randomUUID(), subjectId: randomUUID() };
  const ids = { ...guids, caseNumber: "2411000000000001" };
  for (const { verb, path } of api.operations) {
    const filled = Object.entries({ ...ids, version: "x", seq: "1" }).reduce(
      (text, [name, value]) => text.replace(`{${name}}`, value),
      path,
    );
    const answer = await world.send({ method: verb.toUpperCase(), path: withVersion(filled) });
    if (answer.status === 404) expect(expectRefusal(answer, 404, "NotFound").message).not.toMatch(/no such route/);
  }
});
