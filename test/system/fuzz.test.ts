import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newCaseNumber } from "../support/system/cases.ts";
import { type ApiDocument, readDocument } from "../support/system/document.ts";
import { expectRefusal } from "../support/system/expectations.ts";
import type { Answer, RawRequest } from "../support/system/http.ts";
import { contentDigest, makeKey, signed } from "../support/system/signing.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { openWorld, type Person, type World, withVersion } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";

/** Whatever is sent, the answer is never a 500 and never empty: it is what the document lists, or a refusal in the envelope. */

let world: World;
let api: ApiDocument;
let stamp: StampActor;
const people = new Map<string, Person>();
beforeAll(async () => {
  world = await openWorld();
  api = await readDocument(world);
  stamp = await world.registeredStamp();
  for (const role of ["R", "C", "E", "A"] as const) people.set(role, await world.person(role));
});
afterAll(() => world.close());

/** Requests per property; `FUZZ_RUNS` asks for more on a quiet machine. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 150);

/** The answers that the Functions host gives by itself, before any code of ours (`DESIGN.md`, Platform). */
const hostsOwn = new Set([400, 414, 431]);

function checkAnswer(request: RawRequest, answer: Answer): void {
  const { status, text } = answer;
  const asked = `${request.method} ${request.path} answered ${status}`;
  expect(status, asked).not.toBe(500);
  if (status === 503) throw new Error(`${asked}: ${text}`);
  if (request.method === "HEAD" || status === 204) return;
  if (status === 421) {
    // The embedded host refuses every name that is not of the loopback, in its own words.
    expect(request.headers?.host, asked).not.toMatch(/^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i);
    return;
  }
  // A reader who said that they have it is told no more: which answers may be so is in the document.
  if (text === "" && status !== 304) {
    expect(hostsOwn, asked).toContain(status);
    return;
  }
  if (status >= 400) expectRefusal(answer, status, answer.headers["x-ms-error-code"] ?? "no code");
  if (api.find(request.method, request.path) !== undefined) api.check(request, answer);
}

async function sendAndCheck(request: RawRequest): Promise<Answer> {
  const answer = await world.send(request);
  checkAnswer(request, answer);
  return answer;
}

/** Ids that are right, nearly right, and wrong. */
const id = fc.oneof(
  { weight: 3, arbitrary: fc.uuid() },
  fc.constantFrom(
    "",
    ".",
    "..",
    "%",
    "%2F",
    "%00",
    "null",
    "a:b",
    ":",
    "x".repeat(300),
    "2411000000000001",
    "2026-11-01",
  ),
  fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
);
const templates = [
  "/stamps/{}",
  "/stamps",
  "/stamps/{}:rotateKey",
  "/stamps/{}:checkUpload",
  "/stamps/{}:disable",
  "/stamps/{}:enable",
  "/stamps/{}/collectionOptions",
  "/stamps/{}/accesses",
  "/stamps/{}/consents/proactiveCollection",
  "/stamps/{}/consents/proactiveCollection/decisions",
  "/stamps/{}/bundles",
  "/stamps/{}/bundles/{}",
  "/stamps/{}/bundles/{}:submit",
  "/stamps/{}/bundles/{}:renewUpload",
  "/stamps/{}/bundles/{}:cancel",
  "/stamps/{}/bundles/{}:erase",
  "/stamps/{}/bundles/{}:cancelErase",
  "/stamps/{}/bundles/{}/verification",
  "/stamps/{}/bundles/{}/deletionCertificate",
  "/stamps/{}/imports/{}",
  "/stamps/{}/imports/{}:submit",
  "/stamps/{}/imports/{}/verification",
  "/cases/{}",
  "/cases",
  "/cases/{}/bundles",
  "/cases/{}/stamps/{}/bundles/{}",
  "/cases/{}/accessGrants",
  "/cases/{}/accessGrants/{}",
  "/cases/{}/accessGrants/{}:issueUrl",
  "/cases/{}/accessGrants/{}:revoke",
  "/compliance/retention",
  "/compliance/events",
  "/compliance/accesses",
  "/compliance/checkpoints",
  "/compliance/checkpoints/{}/leaves",
  "/compliance/checkpoints/{}/proof",
  "/people/{}:forget",
  "/health",
  "/openapi.json",
  "/.well-known/jwks.json",
  "/terms",
  "/terms/{}",
  "/{}",
  "/{}/{}",
] as const;
const path = fc
  .tuple(fc.constantFrom(...templates), fc.array(id, { minLength: 3, maxLength: 3 }))
  .map(([template, ids]) => ids.reduce((text, each) => text.replace("{}", () => each), template));
const method = fc.constantFrom("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS");

const queryText = fc.string({ unit: fc.constantFrom(..."abcABC019-_.~%+&=;,:@/?$'()*![]äé "), maxLength: 40 });
const query = fc.oneof(
  fc.constant("api-version=2026-11-01"),
  fc
    .dictionary(
      fc.constantFrom("api-version", "top", "skipToken", "state", "mode", "partition", "candidates", "from", "to", "x"),
      fc.oneof(
        fc.constantFrom("2026-11-01", "1", "1000", "created", "true", "2026-11-01T00:00:00Z", `stamps/${randomUUID()}`),
        queryText,
      ),
    )
    .map((parameters) => `api-version=2026-11-01&${new URLSearchParams(parameters)}`),
  queryText.map((text) => Buffer.from(text).toString("latin1").replaceAll(" ", "%20")),
);

/** All that a header's value may hold. */
const headerCode = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f);
const headerText = fc.string({ unit: headerCode.map((code) => String.fromCharCode(code)), maxLength: 60 });
const headers = fc.dictionary(
  fc.constantFrom(
    "content-type",
    "if-match",
    "if-none-match",
    "x-ms-client-request-id",
    "accept",
    "authorization",
    "signature",
    "signature-input",
    "content-digest",
    "host",
    "origin",
    "expect-nothing",
    "x-forwarded-host",
    "content-encoding",
    "cookie",
  ),
  fc.oneof(
    headerText,
    fc.constantFrom(
      "application/json",
      "*",
      '"etag"',
      'W/"x"',
      "Bearer x.y.z",
      "sig=:AAAA:",
      'sig=();created=1;keyid="k"',
      "sha-256=:AAAA:",
      "gzip",
    ),
  ),
  { maxKeys: 5 },
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.json().map((text) => Buffer.from(text)),
  fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.alloc(17_000, 32)),
);
const request = fc.record({ method, path, query, headers, body, chunked: fc.boolean() }).map(
  (drawn): RawRequest => ({
    method: drawn.method,
    path: `${drawn.path}?${drawn.query}`,
    headers: drawn.headers,
    ...(drawn.body === undefined ? {} : { body: drawn.body, chunked: drawn.chunked && drawn.method !== "GET" }),
  }),
);

describe("any request", () => {
  it("by nobody", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (raw) => void (await sendAndCheck(raw))),
      { numRuns },
    );
  });

  it("by anybody with a token", async () => {
    await fc.assert(
      fc.asyncProperty(request, fc.constantFrom("R", "C", "E", "A"), async (raw, role) => {
        const { token } = people.get(role) ?? { token: "" };
        const { signature: _none, "signature-input": _neither, ...rest } = raw.headers ?? {};
        await sendAndCheck({
          ...raw,
          headers: { "content-type": "application/json", ...rest, authorization: `Bearer ${token}` },
        });
      }),
      { numRuns },
    );
  });

  it("by a stamp that signs it", async () => {
    const ours = fc
      .tuple(fc.constantFrom(...templates.filter((template) => template.startsWith("/stamps/"))), id, query)
      .map(([template, other, text]) => `${template.replace("{}", stamp.stampId).replace("{}", () => other)}?${text}`);
    await fc.assert(
      fc.asyncProperty(request, ours, async (raw, target) => {
        const { authorization: _none, ...rest } = raw.headers ?? {};
        const clean = Object.fromEntries(
          Object.entries(rest).filter(([name]) => !/^(signature|content-digest|host)/.test(name)),
        );
        const typed = { "content-type": "application/json", ...clean };
        await sendAndCheck(await signed(world.origin, stamp.key, { ...raw, path: target, headers: typed }));
      }),
      { numRuns },
    );
  });
});

describe("a credential with a turn in it", () => {
  it("as a token", async () => {
    const { token } = people.get("A") ?? { token: "" };
    const bent = fc.tuple(fc.nat(token.length), fc.nat(8), queryText).map(([at, length, text]) => {
      return `Bearer ${token.slice(0, at)}${Buffer.from(text).toString("latin1")}${token.slice(at + length)}`;
    });
    await fc.assert(
      fc.asyncProperty(bent, async (authorization) => {
        const answer = await sendAndCheck({ method: "GET", path: withVersion("/stamps"), headers: { authorization } });
        if (authorization !== `Bearer ${token}`) expect([200, 401]).toContain(answer.status);
      }),
      { numRuns },
    );
  });

  it("as a signature", async () => {
    const names = ["signature", "signature-input", "content-digest"] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(300),
        fc.nat(5),
        headerText,
        async (name, at, length, text) => {
          const raw = await signed(world.origin, stamp.key, {
            method: "PUT",
            path: withVersion(`${stamp.path}/consents/proactiveCollection`),
            headers: { "content-type": "application/json" },
            body: "{}",
          });
          const value = String(raw.headers?.[name]);
          const bent = `${value.slice(0, at)}${text}${value.slice(at + length)}`;
          const answer = await sendAndCheck({ ...raw, headers: { ...raw.headers, [name]: bent } });
          if (bent.trim() !== value) expect([400, 401]).toContain(answer.status);
        },
      ),
      { numRuns },
    );
  });
});

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Anything that JSON can say, much of it hostile. */
const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    2 ** 53,
    "",
    " ",
    "\u0000",
    "\ud800",
    "a".repeat(1025),
    "__proto__",
    [],
    {},
    [[]],
    Array.from({ length: 201 }, () => "x"),
    { __proto__: 1 },
    "2026-11-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "-000001-01-01T00:00:00Z",
    "../../etc",
    "%2e%2e",
    "🏭",
  ),
  fc.jsonValue(),
  fc.uuid(),
  fc.double(),
  fc.string({ unit: "binary", maxLength: 60 }),
);

/** One change somewhere in a value: replaced, left out, doubled, or something beside it. */
function mutated(value: Json): fc.Arbitrary<unknown> {
  const places = placesIn(value);
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom("replace", "remove", "add"), anyJson)
    .map(([place, how, other]) =>
      change(value, place, (at) => {
        if (how === "replace") return other;
        if (how === "remove") return undefined;
        if (Array.isArray(at)) return [...at, other];
        return typeof at === "object" && at !== null ? { ...at, extra: other } : [at, other];
      }),
    );
}

function placesIn(value: Json, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, [...at, key]))];
}

function change(value: unknown, [key, ...rest]: readonly string[], by: (at: unknown) => unknown): unknown {
  if (key === undefined) return by(value);
  if (Array.isArray(value)) return value.map((each, index) => (String(index) === key ? change(each, rest, by) : each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, name === key ? change(each, rest, by) : each]),
  );
}

/** The text with a few characters changed: mostly no JSON any more. */
const garbled = (text: string) =>
  fc.tuple(fc.nat(text.length), fc.nat(4), fc.string({ maxLength: 6 })).map(([at, length, other]) => {
    return Buffer.from(`${text.slice(0, at)}${other}${text.slice(at + length)}`);
  });

describe("a valid body with one thing changed", () => {
  const json = (value: unknown): Json => JSON.parse(JSON.stringify(value));
  type Target = {
    readonly path: () => string;
    readonly verb: string;
    readonly body: () => Promise<unknown> | unknown;
    readonly send: (raw: RawRequest) => Promise<RawRequest>;
  };
  const bySignature = (raw: RawRequest) => {
    const digest = raw.body === undefined ? {} : { "content-digest": contentDigest(raw.body) };
    return signed(world.origin, stamp.key, { ...raw, headers: { ...raw.headers, ...digest } });
  };
  const byToken =
    (role: string) =>
    async (raw: RawRequest): Promise<RawRequest> => ({
      ...raw,
      headers: { ...raw.headers, authorization: `Bearer ${people.get(role)?.token ?? ""}` },
    });
  const named = () => ({ stampId: stamp.stampId, bundleId: randomUUID() });
  const engineer = () => people.get("E")?.oid ?? "";
  const targets: Readonly<Record<string, Target>> = {
    "PUT stamp": {
      verb: "PUT",
      path: () => `/stamps/${randomUUID()}`,
      body: () => ({ ...stamp.registration, keys: [{ keyId: "k", jwk: makeKey().jwk, notBefore: world.on() }] }),
      send: byToken("R"),
    },
    rotateKey: {
      verb: "POST",
      path: () => `${stamp.path}:rotateKey`,
      body: () => ({ keyId: "k", jwk: makeKey("OKP").jwk, proof: "e30.e30.AAAA", retireCurrentOn: world.on(24) }),
      send: bySignature,
    },
    disable: {
      verb: "POST",
      path: () => `/stamps/${randomUUID()}:disable`,
      body: () => ({ reason: "lost" }),
      send: byToken("R"),
    },
    "PUT consent": {
      verb: "PUT",
      path: () => `${stamp.path}/consents/proactiveCollection`,
      body: async () => ({
        state: "enabled",
        decidedBy: "x",
        termsVersion: await world.currentTerms(),
        purposes: ["productHealth"],
      }),
      send: bySignature,
    },
    "PUT bundle": {
      verb: "PUT",
      path: () => stamp.bundlePath(randomUUID()),
      body: () => stamp.bundleRequest({ roles: ["Storage"], caseNumber: newCaseNumber() }),
      send: bySignature,
    },
    "PUT proactive bundle": {
      verb: "PUT",
      path: () => stamp.bundlePath(randomUUID()),
      body: () => stamp.bundleRequest({ mode: "proactive" }),
      send: bySignature,
    },
    submit: {
      verb: "POST",
      path: () => `${stamp.bundlePath(randomUUID())}:submit`,
      body: () => ({ sizeBytes: 1, sha256: "0".repeat(64) }),
      send: bySignature,
    },
    erase: {
      verb: "POST",
      path: () => `${stamp.bundlePath(randomUUID())}:erase`,
      body: () => ({ decidedBy: "x", reason: "y" }),
      send: bySignature,
    },
    "PUT case": {
      verb: "PUT",
      path: () => `/cases/${newCaseNumber()}`,
      body: () => ({
        revision: 1,
        kind: "support",
        state: "open",
        stampIds: [stamp.stampId],
        assignees: [engineer()],
        title: "x",
      }),
      send: byToken("C"),
    },
    "PUT grant": {
      verb: "PUT",
      path: () => `/cases/${newCaseNumber()}/accessGrants/${randomUUID()}`,
      body: () => ({ bundles: [named()], purpose: "troubleshooting", justification: "x", durationMinutes: 60 }),
      send: byToken("E"),
    },
    issueUrl: {
      verb: "POST",
      path: () => `/cases/${newCaseNumber()}/accessGrants/${randomUUID()}:issueUrl`,
      body: named,
      send: byToken("E"),
    },
  };
  const hasLoneSurrogate = (body: Buffer): boolean => /\\ud[89a-f]/i.test(body.toString());

  it.each(Object.entries(targets))("%s", async (_name, { verb, path: where, body: make, send }) => {
    const valid = json(await make());
    const bodies = fc.oneof(
      { weight: 4, arbitrary: mutated(valid).map((value) => Buffer.from(JSON.stringify(value) ?? "")) },
      { weight: 1, arbitrary: garbled(JSON.stringify(valid)) },
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (bytes) => {
        const raw = {
          method: verb,
          path: withVersion(where()),
          headers: { "content-type": "application/json" },
          body: bytes,
        };
        const answer = await sendAndCheck(await send(raw));
        const operation = api.find(verb, raw.path);
        // What the document does not let through, the service does not take either.
        if (operation === undefined || answer.status >= 300 || hasLoneSurrogate(bytes)) return;
        expect(api.takes(operation, JSON.parse(bytes.toString())), bytes.toString()).toBe(true);
      }),
      { numRuns },
    );
  });
});

it("the service still works after all that", async () => {
  const { bundle } = await stamp.acceptedBundle({}, await makeZip());
  expect(bundle.state).toBe("accepted");
});
