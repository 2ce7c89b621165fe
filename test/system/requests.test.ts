import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { bundleShape, stampPage, stampShape } from "../support/system/shapes.ts";
import { contentDigest, makeKey, signed } from "../support/system/signing.ts";
import { registrationOf, type StampActor, stampActor } from "../support/system/stamp.ts";
import { unchanged } from "../support/system/unchanged.ts";
import {
  apiVersion,
  openWorld,
  type Person,
  queryOf,
  readAll,
  type World,
  withVersion,
} from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";

/** API.md, the paragraphs before the table: what every request is, whoever sends it. */

let world: World;
let registrar: Person;
beforeAll(async () => {
  world = await openWorld();
  registrar = await world.person("R");
});
afterAll(() => world.close());

const bearer = () => ({ authorization: `Bearer ${registrar.token}` });
const json = () => ({ ...bearer(), "content-type": "application/json" });

/** Registers with a body as it is, which has to change nothing. */
async function registerRaw(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const stamp = stampActor(world);
  return unchanged(world, stamp, () =>
    world.send({ method: "PUT", path: withVersion(stamp.path), headers: { ...json(), ...headers }, body }),
  );
}
const registration = (changes: Readonly<Record<string, unknown>> = {}) => registrationOf([makeKey()], changes);
const registerWith = (changes: Readonly<Record<string, unknown>>) => registerRaw(JSON.stringify(registration(changes)));

describe("api-version", () => {
  it("is needed", async () => {
    for (const path of ["/stamps", "/stamps?", "/stamps?top=1", "/stamps?API_VERSION=2026-11-01"]) {
      const answer = await world.send({ method: "GET", path, headers: bearer() });
      expectRefusal(answer, 400, "MissingApiVersionParameter");
    }
  });

  it.each(["2026-11-02", "2026-11-01-preview", "1", "latest"])("cannot be %s", async (version) => {
    const answer = await world.send({ method: "GET", path: `/stamps?api-version=${version}`, headers: bearer() });
    expectRefusal(answer, 400, "UnsupportedApiVersionValue");
  });

  it("cannot be empty", async () => {
    const answer = await world.send({ method: "GET", path: "/stamps?api-version=", headers: bearer() });
    expect(answer.status, answer.text).toBe(400);
  });

  it("cannot come twice", async () => {
    const path = `${withVersion("/stamps")}&api-version=${apiVersion}`;
    expectRefusal(await world.send({ method: "GET", path, headers: bearer() }), 400, "InvalidParameter");
  });

  it("is asked for before the credential", async () => {
    expectRefusal(await world.send({ method: "GET", path: "/stamps" }), 400, "MissingApiVersionParameter");
  });

  it("stops a write", async () => {
    const stamp = stampActor(world);
    const put = (path: string) =>
      world.send({ method: "PUT", path, headers: json(), body: JSON.stringify(stamp.registration) });
    const missing = await unchanged(world, stamp, () => put(stamp.path));
    expectRefusal(missing, 400, "MissingApiVersionParameter");
    const other = await unchanged(world, stamp, () => put(`${stamp.path}?api-version=2020-01-01`));
    expectRefusal(other, 400, "UnsupportedApiVersionValue");
  });
});

describe("a body is refused, and nothing changes:", () => {
  const notJson: readonly [string, string | Uint8Array][] = [
    ["malformed", '{"displayName":'],
    ["empty", ""],
    ["only spaces", "   "],
    ["with a comma too many", JSON.stringify(registration()).replace(/}$/, ",}")],
    ["with a comment", `/* hello */ ${JSON.stringify(registration())}`],
    ["in single quotes", "{'displayName':'x'}"],
    ["two values", `${JSON.stringify(registration())}{}`],
    ["not in UTF-8", Buffer.from(JSON.stringify(registration({ displayName: "ÿÿ" })), "latin1")],
    ["with NaN", JSON.stringify(registration()).replace(/"displayName":"[^"]*"/, '"displayName":NaN')],
  ];
  it.each(notJson)("%s", async (_what, body) => {
    expectRefusal(await registerRaw(body), 400, "InvalidBody");
  });

  it.each(["null", "[]", "1", '"text"', "true"])("%s in place of an object", async (body) => {
    expectRefusal(await registerRaw(body), 400, "InvalidBody");
  });

  it("an unknown field, which it names", async () => {
    expect(expectRefusal(await registerWith({ colour: "red" }), 400, "InvalidBody").target).toBe("/colour");
  });

  it("an unknown field deep inside, which it names", async () => {
    const { keyId, jwk } = makeKey();
    const error = expectRefusal(await registerWith({ keys: [{ keyId, jwk, colour: "red" }] }), 400, "InvalidBody");
    expect(error.target).toBe("/keys/0/colour");
  });

  it("a field with / and ~ in its name, as a JSON pointer has it", async () => {
    expect(expectRefusal(await registerWith({ "a/b~c": 1 }), 400, "InvalidBody").target).toBe("/a~1b~0c");
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("the unknown field %s", async (name) => {
    const text = JSON.stringify(registration()).replace(/^{/, `{"${name}":{"displayName":"x"},`);
    expect(expectRefusal(await registerRaw(text), 400, "InvalidBody").target).toBe(`/${name}`);
  });

  it("a duplicate key, which it names", async () => {
    const text = JSON.stringify(registration()).replace(/^{/, '{"displayName":"first",');
    expect(expectRefusal(await registerRaw(text), 400, "InvalidBody").target).toBe("/displayName");
  });

  it("a duplicate key deep inside, in another spelling", async () => {
    const text = JSON.stringify(registration()).replace('{"keyId":', '{"\\u006beyId":"other","keyId":');
    expect(expectRefusal(await registerRaw(text), 400, "InvalidBody").target).toBe("/keys/0/keyId");
  });

  const fields = Object.keys(registration());
  it.each(fields)("without %s, which it names", async (name) => {
    const body = Object.fromEntries(Object.entries(registration()).filter(([field]) => field !== name));
    expect(expectRefusal(await registerRaw(JSON.stringify(body)), 400, "InvalidBody").target).toBe(`/${name}`);
  });

  it.each(fields)("with a wrong type of %s, which it names", async (name) => {
    for (const value of [null, 7, {}, true]) {
      const { target } = expectRefusal(await registerWith({ [name]: value }), 400, "InvalidBody");
      expect(target).toMatch(new RegExp(`^/${name}`));
    }
  });

  const strings: readonly [string, string][] = [
    ["empty", ""],
    ["longer than 1,024 characters", "a".repeat(1025)],
    ["with a control character", "a\u0000b"],
    ["with a line break", "a\nb"],
    ["with DEL", "a\u007f"],
    ["with a C1 control", "a\u0085b"],
  ];
  it.each(strings)("a string %s", async (_what, displayName) => {
    expect(expectRefusal(await registerWith({ displayName }), 400, "InvalidBody").target).toBe("/displayName");
  });

  it("a string that is not well-formed Unicode", async () => {
    const text = JSON.stringify(registration()).replace(/"displayName":"[^"]*"/, '"displayName":"a\\ud800"');
    expect(expectRefusal(await registerRaw(text), 400, "InvalidBody").target).toBe("/displayName");
  });

  it("an array of 201", async () => {
    const { jwk } = makeKey();
    const keys = Array.from({ length: 201 }, (_, index) => ({ keyId: `${index}`, jwk: { kty: jwk.kty } }));
    expect(expectRefusal(await registerWith({ keys }), 400, "InvalidBody").target).toMatch(/^\/keys/);
  });

  it("nested a thousand times", async () => {
    expectRefusal(await registerRaw(`${"[".repeat(4000)}${"]".repeat(4000)}`), 400, "InvalidBody");
    expectRefusal(await registerRaw(`${'{"a":'.repeat(2500)}1${"}".repeat(2500)}`), 400, "InvalidBody");
  });

  it("over 16 KiB", async () => {
    const padded = (bytes: number) => JSON.stringify(registration()).padEnd(bytes, " ");
    expectRefusal(await registerRaw(padded(16_385)), 413, "BodyTooLarge");
    expectRefusal(await registerRaw(padded(200_000)), 413, "BodyTooLarge");
    const stamp = stampActor(world);
    const largest = { method: "PUT", path: withVersion(stamp.path), headers: json(), body: padded(16_384) };
    expectStatus(await world.send(largest), 201);
  });

  it.each(["text/plain", "application/xml", "application/json-patch+json", "application/x-www-form-urlencoded", ""])(
    "as %s",
    async (type) => {
      const answer = await registerRaw(JSON.stringify(registration()), { "content-type": type });
      expectRefusal(answer, 415, "UnsupportedMediaType");
    },
  );

  it.each(["gzip", "br", "deflate"])("in Content-Encoding: %s", async (encoding) => {
    const stamp = await world.registeredStamp();
    const send = () =>
      registrar.call("PUT", stamp.path, stamp.registration, { headers: { "content-encoding": encoding } });
    expectRefusal(await unchanged(world, stamp, send), 415, "UnsupportedMediaType");
  });

  it("without a media type", async () => {
    const stamp = stampActor(world);
    const body = JSON.stringify(stamp.registration);
    const raw = { method: "PUT", path: withVersion(stamp.path), headers: bearer(), body };
    expectRefusal(await unchanged(world, stamp, () => world.send(raw)), 415, "UnsupportedMediaType");
  });

  it("chunked", async () => {
    const stamp = stampActor(world);
    const body = JSON.stringify(stamp.registration);
    const raw = { method: "PUT", path: withVersion(stamp.path), headers: json(), body, chunked: true };
    expectRefusal(await unchanged(world, stamp, () => world.send(raw)), 411, "LengthRequired");
  });

  it("chunked, from a stamp, before its signature is looked at", async () => {
    const stamp = await world.registeredStamp();
    const raw = {
      method: "PUT",
      path: withVersion(`${stamp.path}/consents/proactiveCollection`),
      headers: { "content-type": "application/json" },
      body: "{}",
      chunked: true,
    };
    expectRefusal(await unchanged(world, stamp, () => world.send(raw)), 411, "LengthRequired");
  });

  it("where none is taken", async () => {
    const stamp = await world.registeredStamp();
    const answer = await unchanged(world, stamp, () => registrar.call("POST", `${stamp.path}:enable`, {}));
    expectRefusal(answer, 400, "InvalidBody");
  });
});

it("a body in Content-Encoding: identity is taken", async () => {
  const stamp = stampActor(world);
  const headers = { "content-encoding": "identity" };
  expectStatus(await registrar.call("PUT", stamp.path, stamp.registration, { headers }), 201);
});

it("a body with the charset named is taken", async () => {
  const stamp = stampActor(world);
  const headers = { "content-type": "application/json; charset=utf-8" };
  expectStatus(await registrar.call("PUT", stamp.path, stamp.registration, { headers }), 201);
});

it("a body with every kind of letter is kept as it is", async () => {
  const displayName = "Contoso – 東京 🏭 Ünïcode";
  const stamp = await world.registeredStamp({ registration: { displayName } });
  expect((await stamp.view()).displayName).toBe(displayName);
});

describe("an id is refused:", () => {
  const ids: readonly [what: string, id: string, status: number, code: string][] = [
    ["with a percent sign", "a%20b", 400, "InvalidPath"],
    ["with an encoded slash", "a%2Fb", 400, "InvalidPath"],
    ["with an encoded backslash", "a%5Cb", 400, "InvalidPath"],
    ["with an encoded letter", "%41bc", 400, "InvalidPath"],
    ["with half an escape", "a%b", 400, "InvalidPath"],
    ["of encoded dots", "%2e%2E", 400, "InvalidPath"],
    ["of encoded dots that lead to a route", "%2e%2e/health", 400, "InvalidPath"],
    ["that is no GUID", "nonsense", 400, "InvalidParameter"],
    ["without hyphens", "6f2b1c0a000040008000000000000001", 400, "InvalidParameter"],
    ["of 1,000 characters", "a".repeat(1000), 400, "InvalidParameter"],
    ["with a slash", "a/b", 404, "NotFound"],
  ];
  const get = (id: string) => world.send({ method: "GET", path: withVersion(`/stamps/${id}`), headers: bearer() });
  it.each(ids)("%s", async (_what, id, status, code) => {
    expectRefusal(await get(id), status, code);
  });

  it.each(["a%00b", "{6f2b1c0a-0000-4000-8000-000000000001}"])("that the host may refuse by itself: %s", async (id) => {
    expectStatus(await get(id), 400);
  });

  it.each(["a#b", "a?b"])("cut short by %s", async (id) => {
    const answer = await world.send({ method: "GET", path: withVersion(`/stamps/${id}`), headers: bearer() });
    expect(answer.status, answer.text).toBe(400);
  });

  it.each(["..", "../..", ".", "%2e%2e", "..%2f..", "..\\.."])("%s", async (id) => {
    const answer = await world.send({ method: "GET", path: withVersion(`/stamps/${id}/bundles`), headers: bearer() });
    expect([400, 404], answer.text).toContain(answer.status);
  });

  it("of 10,000 characters", async () => {
    const path = withVersion(`/stamps/${"a".repeat(10_000)}`);
    const answer = await world.send({ method: "GET", path, headers: bearer() });
    expect([400, 414], answer.text).toContain(answer.status);
  });

  it("in raw Unicode", async () => {
    const path = withVersion(`/stamps/${Buffer.from("größe").toString("latin1")}`);
    const answer = await world.send({ method: "GET", path, headers: bearer() });
    expect([400, 404], answer.text).toContain(answer.status);
  });

  it.each(["a/b", "a b", "ü", "", "a".repeat(65), "a?b", "a#b", "a%b", 'a"b'])("the keyId %j", async (keyId) => {
    const { jwk } = makeKey();
    const error = expectRefusal(await registerWith({ keys: [{ keyId, jwk }] }), 400, "InvalidBody");
    expect(error.target).toBe("/keys/0/keyId");
  });

  it.each(["22112800400062", "22112800400062301234", "2211280040006230a", "221128-0040006230"])(
    "the case number %s",
    async (caseNumber) => {
      const { call } = await world.person("C");
      expectRefusal(await call("GET", `/cases/${caseNumber}`), 400, "InvalidParameter");
    },
  );

  it("an id of the bundle", async () => {
    const { call } = await world.person("A");
    expectRefusal(await call("GET", `/stamps/${randomUUID()}/bundles/x`), 400, "InvalidParameter");
  });
});

describe("a Host that is none", () => {
  it.each(["user@example.com", "$@&", "a/b", "a?b", "a#b", "a\\b", "[::1", "a:port"])(
    "is refused: %s",
    async (host) => {
      for (const path of ["/health", withVersion("/stamps")]) {
        expectStatus(await world.send({ method: "GET", path, headers: { ...bearer(), host } }), 400);
      }
    },
  );

  const listedAs = (host: string) =>
    world.send({ method: "GET", path: withVersion("/stamps"), headers: { ...bearer(), host } });

  it.each(["localhost:8080", "[::1]:7071", "127.0.0.1"])(
    "is no matter where it is another name of this machine: %s",
    async (host) => {
      expectStatus(await listedAs(host), 200);
    },
  );

  it.each(["example.com", "example.com:8080"])(
    "is refused on one machine where it is foreign, whatever the credential: %s",
    async (host) => {
      expectStatus(await listedAs(host), 421);
    },
  );
});

it("the case of an id is ignored, and answers have it lower", async () => {
  const stamp = await world.registeredStamp({ stampId: randomUUID().toUpperCase() });
  const { call } = await world.person("A");
  const lower = stamp.stampId.toLowerCase();
  for (const id of [stamp.stampId, lower]) {
    expect(stampShape.parse(expectStatus(await call("GET", `/stamps/${id}`), 200).json).stampId).toBe(lower);
  }
  const { bundleId } = await stamp.createBundle({}, randomUUID().toUpperCase());
  expectStatus(await stamp.call("GET", `/stamps/${lower}/bundles/${bundleId.toUpperCase()}`), 200);
});

describe("an unknown route or verb is a 404 in the same envelope", () => {
  const unknown: readonly [string, string][] = [
    ["GET", "/"],
    ["GET", "/nothing"],
    ["GET", "/stamps/x/y/z"],
    ["POST", "/stamps"],
    ["PATCH", "/stamps/6f2b1c0a-0000-4000-8000-000000000001"],
    ["DELETE", "/stamps/6f2b1c0a-0000-4000-8000-000000000001"],
    ["PUT", "/health"],
    ["POST", "/stamps/6f2b1c0a-0000-4000-8000-000000000001:explode"],
    ["GET", "/stamps/6f2b1c0a-0000-4000-8000-000000000001:disable"],
    ["PUT", "/stamps/6f2b1c0a-0000-4000-8000-000000000001:disable"],
    ["GET", "/stamps/6f2b1c0a-0000-4000-8000-000000000001/bundles/6f2b1c0a-0000-4000-8000-000000000002:submit"],
    ["GET", "/cases/2411000000000001/accessGrants/6f2b1c0a-0000-4000-8000-000000000003:issueUrl"],
    ["OPTIONS", "/stamps"],
    ["OPTIONS", "/health"],
    ["GET", "/terms/1/2"],
    ["GET", "/favicon.ico"],
    ["GET", "/.well-known/nothing"],
  ];
  it.each(unknown)("%s %s", async (method, path) => {
    for (const credential of [{}, bearer()]) {
      expectRefusal(await world.send({ method, path: withVersion(path), headers: credential }), 404, "NotFound");
      expectRefusal(await world.send({ method, path, headers: credential }), 404, "NotFound");
    }
  });

  it.each(["TRACE", "PROPFIND"])("and so is a verb that the host keeps from us: %s", async (method) => {
    expectStatus(await world.send({ method, path: "/health" }), 404);
  });

  it("with a body too", async () => {
    const answer = await world.send({ method: "POST", path: "/nothing", headers: json(), body: "{" });
    expectRefusal(answer, 404, "NotFound");
  });
});

describe("the query", () => {
  it.each(["colour", "$filter", "Top", "state"])(
    "may not have a parameter that the route does not know: %s",
    async (name) => {
      const query = { [name]: "x" };
      const error = expectRefusal(
        await registrar.call("GET", "/stamps", undefined, { query }),
        400,
        "InvalidParameter",
      );
      expect(error.target).toBe(name);
      expectRefusal(await world.anonymous("GET", "/stamps", undefined, { query }), 401, "TokenMissing");
    },
  );

  it("of an auditor never answers a mistyped filter with everything", async () => {
    const auditor = await world.person("A");
    const query = { form: "2026-11-01T00:00:00Z" };
    const answer = await auditor.call("GET", "/compliance/accesses", undefined, { query });
    expect(expectRefusal(answer, 400, "InvalidParameter").target).toBe("form");
  });

  it("of a write is told before anything is written", async () => {
    const stamp = await world.registeredStamp();
    const disable = () =>
      registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }, { query: { dryRun: "1" } });
    expectRefusal(await unchanged(world, stamp, disable), 400, "InvalidParameter");
  });

  it("may have anything on what anyone may read", async () => {
    for (const path of ["/health", "/terms", "/openapi.json"])
      expectStatus(await world.send({ method: "GET", path: `${path}?colour=red&api-version=2020-01-01` }), 200);
  });

  it.each(["top=1&top=2", "top=1&top=1", "colour=a&colour=b"])("may not name one twice: %s", async (query) => {
    const answer = await world.send({ method: "GET", path: `${withVersion("/stamps")}&${query}`, headers: bearer() });
    expectRefusal(answer, 400, "InvalidParameter");
  });

  it.each(["0", "1001", "-1", "1.5", "ten", "", "1e2", "0x10", " 5"])("may not have top=%j", async (top) => {
    const error = expectRefusal(
      await registrar.call("GET", "/stamps", undefined, { query: { top } }),
      400,
      "InvalidParameter",
    );
    expect(error.target).toBe("top");
  });

  it.each(["nonsense", "AAAA", "%", "../..", "a".repeat(3000)])(
    "may not have the made-up skipToken %s",
    async (skipToken) => {
      const answer = await registrar.call("GET", "/stamps", undefined, { query: { skipToken } });
      expect([200, 400], answer.text).toContain(answer.status);
    },
  );

  it("may not filter by a state that is none", async () => {
    const stamp = await world.registeredStamp();
    const { call } = await world.person("A");
    for (const query of [{ state: "sleeping" }, { mode: "loud" }]) {
      expectRefusal(await call("GET", `${stamp.path}/bundles`, undefined, { query }), 400, "InvalidParameter");
    }
    expectRefusal(await call("GET", "/cases", undefined, { query: { state: "half" } }), 400, "InvalidParameter");
    expectRefusal(
      await call("GET", "/compliance/events", undefined, { query: { partition: "x/y" } }),
      400,
      "InvalidParameter",
    );
  });
});

describe("a list", () => {
  it("goes on where its nextLink says, and has each item once", async () => {
    const stamps = await Promise.all(Array.from({ length: 5 }, () => world.registeredStamp()));
    const all = stampPage
      .parse({ value: await readAll(registrar.call, "/stamps") })
      .value.map(({ stampId }) => stampId);
    const read: string[] = [];
    let path: string | undefined = withVersion("/stamps", { top: "2" });
    while (path !== undefined) {
      const answer: Answer = expectStatus(await world.send({ method: "GET", path, headers: bearer() }), 200);
      const page = stampPage.parse(answer.json);
      expect(page.value.length).toBeLessThanOrEqual(2);
      read.push(...page.value.map(({ stampId }) => stampId));
      if (page.nextLink !== undefined) {
        const { origin, pathname, search }: URL = new URL(page.nextLink);
        expect(origin).toBe(world.origin);
        expect(queryOf(page.nextLink)).toMatchObject({ "api-version": apiVersion, top: "2" });
        path = pathname + search;
      } else path = undefined;
    }
    expect(read.toSorted()).toEqual(all.toSorted());
    expect(new Set(read).size).toBe(read.length);
    expect(read).toEqual(expect.arrayContaining(stamps.map(({ stampId }) => stampId)));
  });

  it("has no nextLink on its last page, also where top fits exactly", async () => {
    const stamp = await world.registeredStamp();
    await stamp.createBundle();
    const answer = await stamp.call("GET", `${stamp.path}/bundles`, undefined, { query: { top: "1" } });
    expect(expectStatus(answer, 200).json).not.toHaveProperty("nextLink");
  });

  it("of a stamp can be followed with new signatures", async () => {
    const stamp = await world.registeredStamp();
    for (let count = 0; count < 3; count++) await stamp.createBundle();
    expect(await readAll(stamp.call, `${stamp.path}/bundles`, { top: "1" })).toHaveLength(3);
  });
});

describe("x-ms-client-request-id", () => {
  const echoed = async (id: string) =>
    (await world.send({ method: "GET", path: "/health", headers: { "x-ms-client-request-id": id } })).headers;

  it("comes back", async () => {
    const id = randomUUID();
    expect((await echoed(id))["x-ms-client-request-id"]).toBe(id);
    expect((await echoed("~".repeat(128)))["x-ms-client-request-id"]).toBe("~".repeat(128));
  });

  it("comes back on a refusal and on an unknown route", async () => {
    const headers = { "x-ms-client-request-id": "mine" };
    for (const path of ["/stamps", "/nothing"]) {
      expect((await world.send({ method: "GET", path, headers })).headers["x-ms-client-request-id"]).toBe("mine");
    }
  });

  it.each([
    ["too long", "a".repeat(129)],
    ["not ASCII", Buffer.from("ümläut").toString("latin1")],
    ["with a tab", "a\tb"],
  ])("is ignored where it is %s", async (_what, id) => {
    const headers = await echoed(id);
    expect(headers).not.toHaveProperty("x-ms-client-request-id");
    expect(headers["x-ms-request-id"]).toMatch(/\S/);
  });

  it("is another than x-ms-request-id, which is new each time", async () => {
    const ids = [await echoed("same"), await echoed("same")].map((headers) => headers["x-ms-request-id"]);
    expect(new Set([...ids, "same"]).size).toBe(3);
  });
});

describe("checks come in their order", () => {
  let stamp: StampActor;
  beforeAll(async () => {
    stamp = await world.registeredStamp();
  });
  const consentPath = () => `${stamp.path}/consents/proactiveCollection`;

  it("length before size before path", async () => {
    const send = (raw: { path: string; body: string; chunked?: boolean }) =>
      world.send({ method: "PUT", headers: { "content-type": "application/json" }, ...raw });
    expectRefusal(await send({ path: "/stamps/%41", body: "a".repeat(20_000), chunked: true }), 411, "LengthRequired");
    expectRefusal(await send({ path: "/stamps/%41", body: "a".repeat(20_000) }), 413, "BodyTooLarge");
    expectRefusal(await send({ path: "/stamps/%41", body: "a" }), 400, "InvalidPath");
  });

  it("path before api-version before credential", async () => {
    expectRefusal(await world.send({ method: "GET", path: "/stamps/%41" }), 400, "InvalidPath");
    expectRefusal(await world.send({ method: "GET", path: stamp.path }), 400, "MissingApiVersionParameter");
    expectRefusal(await world.anonymous("GET", stamp.path), 401, "SignatureMissing");
  });

  it("digest before media type and body", async () => {
    const raw = {
      method: "PUT",
      path: withVersion(consentPath()),
      headers: { "content-type": "text/plain" },
      body: "{",
    };
    const wrong = { ...raw, headers: { ...raw.headers, "content-digest": contentDigest("x") } };
    expectRefusal(await world.send(await signed(world.origin, stamp.key, wrong)), 401, "DigestMismatch");
    expectRefusal(await world.send(await signed(world.origin, stamp.key, raw)), 415, "UnsupportedMediaType");
  });

  it("role before media type before body before existence", async () => {
    const path = `/stamps/${randomUUID()}:disable`;
    const engineer = await world.engineer();
    expectRefusal(
      await engineer.call("POST", path, "{", { headers: { "content-type": "text/plain" } }),
      403,
      "RoleMissing",
    );
    expectRefusal(
      await registrar.call("POST", path, "{", { headers: { "content-type": "text/plain" } }),
      415,
      "UnsupportedMediaType",
    );
    expectRefusal(await registrar.call("POST", path, "{}"), 400, "InvalidBody");
    expectRefusal(await registrar.call("POST", path, { reason: "lost" }), 404, "NotFound");
  });

  it("body before existence before state", async () => {
    const unknown = stamp.bundlePath(randomUUID());
    expectRefusal(await stamp.call("POST", `${unknown}:submit`, {}), 400, "InvalidBody");
    expectRefusal(
      await stamp.call("POST", `${unknown}:submit`, { sizeBytes: 1, sha256: "0".repeat(64) }),
      404,
      "NotFound",
    );
    expectRefusal(await stamp.call("POST", `${unknown}:cancel`), 404, "NotFound");
    expectRefusal(await stamp.call("POST", `${unknown}:renewUpload`), 404, "NotFound");
  });
});

describe("ETag and If-Match", () => {
  const etagOf = (answer: Answer): string => {
    expect(answer.headers.etag).toMatch(/^(W\/)?".+"$/);
    return answer.headers.etag ?? "";
  };

  it("an answer with a resource has an ETag, the same while nothing changes", async () => {
    const stamp = await world.registeredStamp();
    const first = etagOf(await stamp.call("GET", stamp.path));
    expect(etagOf(await registrar.call("GET", stamp.path))).toBe(first);
    await stamp.enableConsent();
    const { bundleId } = await stamp.createBundle();
    for (const path of [
      `${stamp.path}/consents/proactiveCollection`,
      stamp.bundlePath(bundleId),
      `${stamp.bundlePath(bundleId)}/verification`,
      `${stamp.path}/collectionOptions`,
    ]) {
      etagOf(await stamp.call("GET", path));
    }
  });

  it("a PUT under the present ETag is done, and the ETag changes", async () => {
    const stamp = await world.registeredStamp();
    const before = etagOf(await registrar.call("GET", stamp.path));
    const body = { ...stamp.registration, displayName: "New name" };
    const answer = await registrar.call("PUT", stamp.path, body, { headers: { "if-match": before } });
    const after = etagOf(expectStatus(answer, 200));
    expect(after).not.toBe(before);
    expect(etagOf(await registrar.call("GET", stamp.path))).toBe(after);
  });

  it("a PUT under an old ETag is refused, and nothing changes", async () => {
    const stamp = await world.registeredStamp();
    const old = etagOf(await registrar.call("GET", stamp.path));
    expectStatus(await stamp.register({ displayName: "New name" }), 200);
    const put = (ifMatch: string) =>
      registrar.call(
        "PUT",
        stamp.path,
        { ...stamp.registration, displayName: "Newer" },
        { headers: { "if-match": ifMatch } },
      );
    for (const ifMatch of [old, '"other"', `${old}, "other"`]) {
      expectRefusal(await unchanged(world, stamp, () => put(ifMatch)), 412, "ConditionNotMet");
    }
  });

  it("If-Match: * means that there is one", async () => {
    const stamp = await world.registeredStamp();
    const headers = { "if-match": "*" };
    expectStatus(await registrar.call("PUT", stamp.path, stamp.registration, { headers }), 200);
    const unknown = stampActor(world);
    const answer = await unchanged(world, unknown, () =>
      registrar.call("PUT", unknown.path, unknown.registration, { headers }),
    );
    expectRefusal(answer, 412, "ConditionNotMet");
  });

  it("one of several ETags suffices", async () => {
    const stamp = await world.registeredStamp();
    const etag = etagOf(await registrar.call("GET", stamp.path));
    const headers = { "if-match": `"other", ${etag}` };
    expectStatus(await registrar.call("PUT", stamp.path, stamp.registration, { headers }), 200);
  });

  it("holds for a stamp's own PUTs, signed with the header", async () => {
    const stamp = await world.registeredStamp();
    const consent = `${stamp.path}/consents/proactiveCollection`;
    const etag = etagOf(await stamp.call("GET", consent));
    const body = { state: "enabled", decidedBy: "operator", termsVersion: await world.currentTerms() };
    const put = (ifMatch: string) => stamp.call("PUT", consent, body, { headers: { "if-match": ifMatch } });
    expectRefusal(await unchanged(world, stamp, () => put('"other"')), 412, "ConditionNotMet");
    const done = await put(etag);
    expect([200, 201], done.text).toContain(done.status);

    const bundle = stamp.bundlePath(randomUUID());
    const request = await stamp.bundleRequest();
    const create = await unchanged(world, stamp, () =>
      stamp.call("PUT", bundle, request, { headers: { "if-match": "*" } }),
    );
    expectRefusal(create, 412, "ConditionNotMet");
  });

  it("holds for a bundle at every stage, by the ETag that whoever reads it is given", async () => {
    const stamp = await world.registeredStamp();
    const auditor = await world.person("A");
    const bytes = await makeZip();
    const request = await stamp.bundleRequest({ sizeBytes: bytes.byteLength });
    const put = async (path: string) => {
      const { headers } = expectStatus(await stamp.call("GET", path), 200);
      expect((await auditor.call("GET", path)).headers.etag).toBe(headers.etag);
      return await stamp.call("PUT", path, request, { headers: { "if-match": headers.etag ?? "" } });
    };
    const bundleId = randomUUID();
    const path = stamp.bundlePath(bundleId);
    expectStatus(await stamp.call("PUT", path, request), 201);
    const created = bundleShape.parse(expectStatus(await put(path), 200).json);
    await stamp.upload(created, bytes);
    expectStatus(await stamp.submit(bundleId, bytes), 202);
    await stamp.waitFor(bundleId, "accepted");
    expectStatus(await put(path), 200);
  });

  it("holds for a case", async () => {
    const supportCase = await world.openCase();
    const { call } = await world.person("C");
    const { revision, kind, state, stampIds, assignees } = await supportCase.view();
    const body = { revision: revision + 1, kind, state, stampIds, assignees };
    const put = (ifMatch: string) => call("PUT", supportCase.path, body, { headers: { "if-match": ifMatch } });
    expectRefusal(await unchanged(world, supportCase, () => put('"other"')), 412, "ConditionNotMet");
    expectStatus(await put(etagOf(await call("GET", supportCase.path))), 200);
  });
});

describe("If-None-Match", () => {
  const unlessThere = { headers: { "if-none-match": "*" } };

  it("of a star makes a PUT create and never change", async () => {
    const stamp = stampActor(world);
    const register = () => registrar.call("PUT", stamp.path, stamp.registration, unlessThere);
    const answers = await Promise.all([1, 2, 3, 4].map(register));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412]);
    const again = expectRefusal(await unchanged(world, stamp, register), 412, "ConditionNotMet");
    expect(again.target).toBe("If-None-Match");

    const path = stamp.bundlePath(randomUUID());
    const request = await stamp.bundleRequest();
    const create = () => stamp.call("PUT", path, request, unlessThere);
    expectStatus(await create(), 201);
    expectRefusal(await unchanged(world, stamp, create), 412, "ConditionNotMet");
    expectStatus(await stamp.call("PUT", path, request), 200);
  });

  it("holds for a case, a link and a grant", async () => {
    const stamp = await world.registeredStamp();
    const { bundleId } = await stamp.acceptedBundle();
    const bundle = { stampId: stamp.stampId, bundleId };
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    const { call } = supportCase.engineer;
    const { revision, kind, state, stampIds, assignees } = await supportCase.view();
    const grant = {
      bundles: [bundle],
      purpose: "troubleshooting",
      justification: "The update fails",
      durationMinutes: 60,
    };
    const grantPath = `${supportCase.path}/accessGrants/${randomUUID()}`;
    expectStatus(await call("PUT", supportCase.linkPath(bundle), undefined, unlessThere), 201);
    expectStatus(await call("PUT", grantPath, grant, unlessThere), 201);
    const body = { revision: revision + 1, kind, state, stampIds, assignees };
    const caseSystem = await world.person("C");
    for (const again of [
      () => call("PUT", supportCase.linkPath(bundle), undefined, unlessThere),
      () => call("PUT", grantPath, grant, unlessThere),
      () => caseSystem.call("PUT", supportCase.path, body, unlessThere),
    ]) {
      expectRefusal(await unchanged(world, supportCase, again), 412, "ConditionNotMet");
    }
  });

  it("of the ETag that a reader has is a 304 until the resource changes", async () => {
    const stamp = await world.registeredStamp();
    const etag = (await stamp.call("GET", stamp.path)).headers.etag ?? "";
    const read = () => stamp.call("GET", stamp.path, undefined, { headers: { "if-none-match": `W/${etag}` } });
    const held = expectStatus(await read(), 304);
    expect({ text: held.text, etag: held.headers.etag }).toEqual({ text: "", etag });
    expect(held.headers["x-ms-request-id"]).toMatch(/\S/);
    expectStatus(await stamp.register({ displayName: "New name" }), 200);
    expect(stampShape.parse(expectStatus(await read(), 200).json).displayName).toBe("New name");
  });

  it("never keeps an upload from the stamp that asks for it", async () => {
    const stamp = await world.registeredStamp();
    const path = stamp.bundlePath((await stamp.createBundle()).bundleId);
    const etag = (await stamp.call("GET", path)).headers.etag ?? "";
    const answer = await stamp.call("GET", path, undefined, { headers: { "if-none-match": etag } });
    expect(bundleShape.parse(expectStatus(answer, 200).json).upload).toBeDefined();
  });

  it("holds for what anyone may read", async () => {
    for (const path of ["/openapi.json", "/.well-known/jwks.json", "/terms", `/terms/${await world.currentTerms()}`]) {
      const etag = (await world.send({ method: "GET", path })).headers.etag ?? "";
      expectStatus(await world.send({ method: "GET", path, headers: { "if-none-match": etag } }), 304);
    }
  });
});

describe("an answer", () => {
  it("is JSON in UTF-8, not to be stored", async () => {
    const { headers } = await registrar.call("GET", "/stamps");
    expect(headers["content-type"]).toMatch(/^application\/json/);
    expect(headers["cache-control"]).toBe("no-store");
  });

  it("to HEAD has no body", async () => {
    const { status, text } = await world.send({ method: "HEAD", path: "/health" });
    expect([200, 404]).toContain(status);
    expect(text).toBe("");
  });

  it("that refuses a stamp says what credential is wanted, and what time it is", async () => {
    const { headers } = await world.anonymous("GET", `/stamps/${randomUUID()}`);
    expect(headers["www-authenticate"]).toMatch(/\S/);
    expect(Math.abs(Date.parse(headers.date ?? "") - Date.now())).toBeLessThan(60_000);
  });
});
