import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../../../shared/auth/stampSignature.ts";
import { DomainError } from "../../../shared/errors.ts";
import {
  codeOf,
  type Draft,
  makeKey,
  now,
  nowSeconds,
  registered,
  sha256Field,
  signatureCodes,
  signed,
  submitDraft,
  type TestKey,
  verifyWith,
} from "./support.ts";

const ec = makeKey("EC");
const okp = makeKey("OKP", "ed");
const keys = [registered(ec), registered(okp)];

const letters = (alphabet: string, constraints: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom(...alphabet), ...constraints });
const pathText = letters("abcXYZ019-_.:~", { minLength: 1, maxLength: 20 });

/** A request as `API.md` describes it: any method, path, query, body, and one more covered header. */
const drafts: fc.Arbitrary<Draft> = fc
  .record({
    method: fc.constantFrom("GET", "PUT", "POST", "DELETE"),
    path: fc.array(pathText, { minLength: 1, maxLength: 4 }),
    body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
    ifMatch: fc.option(letters('W/"0aZ*', { minLength: 1, maxLength: 9 }), { nil: undefined }),
    note: letters("aZ09 ,;=", { minLength: 1, maxLength: 12 }).map((text) => `x${text}x`),
  })
  .map(({ method, path, body, ifMatch, note }) => ({
    method,
    targetUri: `https://intake.example.com/${path.join("/")}?api-version=2026-11-01`,
    headers: {
      "x-note": note,
      ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
      ...(body === undefined ? {} : { "content-type": "application/json", "content-digest": sha256Field(body) }),
    },
    ...(body === undefined ? {} : { body }),
  }));

const signers: fc.Arbitrary<TestKey> = fc.constantFrom(ec, okp);
const windows = fc
  .record({ age: fc.integer({ min: -60, max: 360 }), length: fc.integer({ min: 1, max: 300 }) })
  .filter(({ age, length }) => length - age >= -60)
  .map(({ age, length }) => ({ created: nowSeconds - age, expires: nowSeconds - age + length }));
const requests = fc
  .record({ draft: drafts, key: signers, window: windows })
  .map(({ draft, key, window }) => signed(draft, key, { parameters: window }));

/** Where a bit is turned: which octet (as a part of the whole) and which of its bits. */
const places = fc.record({
  at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  bit: fc.integer({ min: 0, max: 7 }),
});
type Place = { readonly at: number; readonly bit: number };

function turnedBytes(bytes: Uint8Array, { at, bit }: Place): Uint8Array {
  const index = Math.floor(at * bytes.length);
  return bytes.map((octet, position) => (position === index ? octet ^ (1 << bit) : octet));
}

const turnedText = (text: string, place: Place): string =>
  Buffer.from(turnedBytes(Buffer.from(text, "latin1"), place)).toString("latin1");

/** The request with one bit of a header turned; nothing where no HTTP message could carry such a header. */
function withTurnedHeader(request: SignedRequest, name: string, place: Place): SignedRequest | undefined {
  const value = request.headers.get(name);
  if (value === null) return undefined;
  const headers = new Headers(request.headers);
  try {
    headers.set(name, turnedText(value, place));
  } catch {
    return undefined;
  }
  return { ...request, headers };
}

function withTurnedSignature(request: SignedRequest, place: Place): SignedRequest {
  const [, label = "", base64 = ""] = /^(.*=):(.*):$/.exec(request.headers.get("signature") ?? "") ?? [];
  const headers = new Headers(request.headers);
  const signature = Buffer.from(turnedBytes(Buffer.from(base64, "base64"), place)).toString("base64");
  headers.set("signature", `${label}:${signature}:`);
  return { ...request, headers };
}

const alterations: Readonly<Record<string, (request: SignedRequest, place: Place) => SignedRequest | undefined>> = {
  method: (request, place) => ({ ...request, method: turnedText(request.method, place) }),
  target: (request, place) => ({ ...request, targetUri: turnedText(request.targetUri, place) }),
  digest: (request, place) => withTurnedHeader(request, "content-digest", place),
  "content type": (request, place) => withTurnedHeader(request, "content-type", place),
  condition: (request, place) => withTurnedHeader(request, "if-match", place),
  "other covered header": (request, place) => withTurnedHeader(request, "x-note", place),
  "components or parameters": (request, place) => withTurnedHeader(request, "signature-input", place),
  signature: withTurnedSignature,
  body: (request, place) =>
    request.body === undefined ? undefined : { ...request, body: turnedBytes(request.body, place) },
};

describe("a signature", () => {
  it("is accepted as it was made", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        await verifyWith(request, keys);
      }),
    );
  });

  it.each(Object.entries(alterations))("is refused after one bit of the %s was turned", async (_what, alter) => {
    await fc.assert(
      fc.asyncProperty(requests, places, async (request, place) => {
        const altered = alter(request, place);
        fc.pre(altered !== undefined);
        expect(signatureCodes).toContain(await codeOf(verifyWith(altered, keys)));
      }),
      { numRuns: 200 },
    );
  });
});

describe("nonsense", () => {
  /** Either an answer or a refusal with a code of ours: anything else would be a 500. */
  async function isDecided(request: SignedRequest): Promise<void> {
    try {
      await verifyWith(request, keys, now);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      expect(signatureCodes).toContain(error.code);
    }
  }

  const fieldText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const fragments = fc.constantFrom(
    ...["sig", "=", "(", ")", ";", ",", ":", '"', "\\", " ", "@", "%", "?", "?1", "-", ".", "\t", "\u00e9", "*", "=="],
    ...['"@method"', '"@target-uri"', '"@query-param"', '"content-digest"', '"@signature-params"', '"signature"'],
    ...["created", "expires", "nonce", "keyid", "tag", "alg", ";req", ";sf", ";bs", ";tr", ";key", ';key="sha-256"'],
    ...[
      "0",
      "1.5",
      "1.0",
      "-1",
      "999999999999999",
      "1000000000000000",
      "1e9",
      "NaN",
      "true",
      "__proto__",
      "constructor",
    ],
    ...[":AAAA:", ":A:", ":====:", ":!:", "::", "sha-256", "sha-512", '"stamp-intake"', '"k1"', "@1795300000", '%"a"'],
  );
  const soup = fc.array(fragments, { maxLength: 30 }).map((parts) => parts.join(""));
  const anyField = fc.oneof(
    fieldText,
    soup,
    soup.map((text) => `sig=${text}`),
  );

  it("in any of the fields is refused, and never breaks anything", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          { "signature-input": anyField, signature: anyField, "content-digest": anyField, "content-type": anyField },
          { requiredKeys: [] },
        ),
        async (fields) => {
          const good = signed(submitDraft, ec);
          const headers = new Headers(good.headers);
          for (const [name, value] of Object.entries(fields)) headers.set(name, value);
          await isDecided({ ...good, headers });
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("put into a good field is refused, and never breaks anything", async () => {
    const fields = fc.constantFrom("signature-input", "signature", "content-digest");
    await fc.assert(
      fc.asyncProperty(fields, anyField, places, places, async (name, text, from, to) => {
        const good = signed(submitDraft, ec);
        const value = good.headers.get(name) ?? "";
        const [start, end] = [from.at, to.at].map((at) => Math.floor(at * value.length)).sort((a, b) => a - b);
        const headers = new Headers(good.headers);
        headers.set(name, value.slice(0, start) + text + value.slice(end));
        await isDecided({ ...good, headers });
      }),
      { numRuns: 1_000 },
    );
  });

  it("that is properly signed is judged by its content", async () => {
    const numbers = fc.oneof(
      fc.constantFrom("0", "-0", "-1", "1.0", "1e3", "999999999999999", "-999999999999999", "00001", "", "?1", "a"),
      fc.integer().map(String),
      fc.bigInt().map(String),
    );
    await fc.assert(
      fc.asyncProperty(numbers, numbers, anyField, async (created, expires, rest) => {
        fc.pre(!/[^\x20-\x7e]/.test(rest));
        const rawParameters = `;created=${created};expires=${expires};nonce="0123456789abcdef";keyid="k1";tag=${rest}`;
        await isDecided(signed(submitDraft, ec, { rawParameters }));
      }),
      { numRuns: 500 },
    );
  });

  it("in the target or method is refused, and never breaks anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), async (method, targetUri) => {
        const components = ["@method", "@target-uri", "@authority", "@path", "@query", "@request-target", "@scheme"];
        const good = signed({ ...submitDraft, headers: {} }, ec, { components });
        await isDecided({ ...good, method, targetUri, body: undefined });
      }),
      { numRuns: 500 },
    );
  });

  it("of thirty thousand characters is refused in time", async () => {
    const long = [
      `sig=(${'"@method" '.repeat(3000)})`,
      `sig=(${Array.from({ length: 3000 }, (_, index) => `"x-${index}"`).join(" ")})`,
      `sig=()${";a=1".repeat(7000)}`,
      `sig=()${Array.from({ length: 4000 }, (_, index) => `;a${index}`).join("")}`,
      `sig=("${"\\\\".repeat(15_000)}")`,
      Array.from({ length: 4000 }, (_, index) => `s${index}=()`).join(", "),
      "(".repeat(30_000),
      '"'.repeat(30_000),
    ];
    for (const value of long) {
      const good = signed(submitDraft, ec);
      const headers = new Headers(good.headers);
      headers.set("signature-input", value);
      expect(await codeOf(verifyWith({ ...good, headers }, keys))).toBe("SignatureMalformed");
    }
  });
});
