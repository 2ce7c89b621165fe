import fc from "fast-check";
import { createSignature } from "http-message-sig";
import { createVerifier, httpbis } from "http-message-signatures";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { publicKeyOf } from "../../../shared/api/publicJwk.ts";
import type { SignedRequest } from "../../../shared/auth/stampSignature.ts";
import {
  codeOf,
  makeKey,
  now,
  nowSeconds,
  rawSignature,
  registered,
  sha256Field,
  type TestKey,
  verifyWith,
} from "./support.ts";

/**
 * Our verifier and two libraries for RFC 9421 must agree: on what `http-message-signatures` signs, on what
 * `http-message-sig` signs, and on what was altered since.
 */

const ec = makeKey("EC");
const okp = makeKey("OKP", "ed");
const keys = [registered(ec), registered(okp)];
const algorithmOf = ({ jwk }: TestKey) => (jwk.kty === "EC" ? "ecdsa-p256-sha256" : "ed25519");

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now });
});
afterAll(() => {
  vi.useRealTimers();
});

type Unsigned = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** Covered components, in this order. */
  readonly components: readonly string[];
  /** Signature parameters, in this order. */
  readonly parameters: readonly string[];
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  readonly label: string;
  readonly key: TestKey;
};

const text = (alphabet: string, constraints: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom(...alphabet), ...constraints });
const headerText = text("aZ09 ,;=\"'/()*+:\\", { maxLength: 20 }).map((value) => `v${value}v`);

const unsigned: fc.Arbitrary<Unsigned> = fc
  .record({
    method: fc.constantFrom("GET", "PUT", "POST", "DELETE"),
    path: fc.array(text("abcXYZ019-_:~", { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
    query: text("abcXYZ019-_.~&=+,", { minLength: 1, maxLength: 30 }),
    body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
    extra: fc.dictionary(
      text("abcxyz019", { minLength: 1, maxLength: 8 }).map((name) => `x-${name}`),
      headerText,
      {
        maxKeys: 4,
      },
    ),
    derived: fc.subarray(["@authority", "@scheme", "@path", "@query", "@request-target"]),
    alg: fc.boolean(),
    age: fc.integer({ min: 0, max: 200 }),
    nonce: text("abcXYZ019-_", { minLength: 16, maxLength: 64 }),
    label: text("abc019-_.*", { maxLength: 8 }).map((rest) => `s${rest}`),
    key: fc.constantFrom(ec, okp),
  })
  .chain((draft) => {
    const { method, path, query, body, extra, derived, alg, age, nonce, label, key } = draft;
    const typed = body === undefined ? {} : { "content-type": "application/json", "content-digest": sha256Field(body) };
    const headers: Record<string, string> = { ...extra, ...typed };
    const covered = ["@method", "@target-uri", ...derived, ...Object.keys(headers)];
    const named = ["created", "expires", "nonce", "keyid", "tag", ...(alg ? ["alg"] : [])];
    return fc.record({
      method: fc.constant(method),
      url: fc.constant(`https://intake.example.com:8443/${path.join("/")}?${query}`),
      headers: fc.constant(headers),
      body: fc.constant(body),
      components: fc.shuffledSubarray(covered, { minLength: covered.length }),
      parameters: fc.shuffledSubarray(named, { minLength: named.length }),
      created: fc.constant(nowSeconds - age),
      expires: fc.constant(nowSeconds - age + 300),
      nonce: fc.constant(nonce),
      label: fc.constant(label),
      key: fc.constant(key),
    });
  });

const valuesOf = ({ created, expires, nonce, key }: Unsigned) => ({
  created,
  expires,
  nonce,
  keyid: key.keyId,
  tag: "stamp-intake",
  alg: algorithmOf(key),
});

/** Signed by `http-message-signatures`. */
async function signedByThem(draft: Unsigned): Promise<SignedRequest> {
  const { method, url, headers, body, components, parameters, label, key } = draft;
  const values = valuesOf(draft);
  const message = await httpbis.signMessage(
    {
      key: { id: key.keyId, alg: algorithmOf(key), sign: async (data) => rawSignature(data, key) },
      name: label,
      fields: [...components],
      params: [...parameters],
      paramValues: { ...values, created: new Date(values.created * 1000), expires: new Date(values.expires * 1000) },
    },
    { method, url, headers },
  );
  return { method, targetUri: url, headers: headersOf(message.headers), body };
}

/** Signed by `http-message-sig`, by which the reference client signs. */
async function signedByClients(draft: Unsigned): Promise<SignedRequest> {
  const { method, url, headers, body, components, parameters, label, key } = draft;
  const values: Readonly<Record<string, number | string>> = valuesOf(draft);
  const { signature, signatureInput } = await createSignature(
    {
      kind: "request",
      method,
      targetUri: url,
      requestTarget: url.slice(new URL(url).origin.length),
      fields: Object.entries(headers).map(([name, value]) => ({ name, value })),
    },
    {
      label,
      components,
      parameters: Object.fromEntries(parameters.map((name) => [name, values[name]])),
      signer: { algorithm: algorithmOf(key), sign: (data) => rawSignature(data, key) },
    },
  );
  const all = new Headers(headers);
  all.set("signature-input", signatureInput);
  all.set("signature", signature);
  return { method, targetUri: url, headers: all, body };
}

const headersOf = (headers: Readonly<Record<string, string | readonly string[]>>): Headers =>
  new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, [value].flat().join(", ")]));

async function theyAccept({ method, targetUri, headers }: SignedRequest): Promise<boolean> {
  try {
    const verdict = await httpbis.verifyMessage(
      {
        keyLookup: async ({ keyid }) => {
          const key = [ec, okp].find(({ keyId }) => keyId === keyid);
          if (key === undefined) return null;
          const algorithm = algorithmOf(key);
          return { id: key.keyId, algs: [algorithm], verify: createVerifier(publicKeyOf(key.jwk), algorithm) };
        },
      },
      { method, url: targetUri, headers: Object.fromEntries(headers) },
    );
    return verdict === true;
  } catch {
    return false;
  }
}

const alterations: fc.Arbitrary<(request: SignedRequest) => SignedRequest> = fc.constantFrom(
  (request) => ({ ...request, method: request.method === "PUT" ? "POST" : "PUT" }),
  (request) => ({ ...request, targetUri: `${request.targetUri}x` }),
  (request) => ({ ...request, targetUri: request.targetUri.replace("intake.", "intake2.") }),
  (request) => replaced(request, "signature-input", (value) => value.replace(/created=\d/, "created=0")),
  (request) =>
    replaced(request, "signature-input", (value) => value.replace('"@method" ', "").replace(' "@method"', "")),
  (request) => replaced(request, "signature-input", (value) => value.replace(/nonce="./, 'nonce="Q')),
  (request) => replaced(request, "signature-input", (value) => value.replace(/keyid="(k1|ed)"/, 'keyid="nobody"')),
  (request) => replaced(request, "signature-input", (value) => value.replace("stamp-intake", "stamp-outtake")),
  (request) =>
    replaced(request, "signature", (value) => value.replace(/=:./, (start) => (start === "=:A" ? "=:B" : "=:A"))),
  (request) => replaced(request, "signature", (value) => `${value.slice(0, -5)}:`),
  (request) => replaced(request, "signature", (value) => value.replace(/^[^=]*/, "zz")),
);

function replaced(request: SignedRequest, name: string, change: (value: string) => string): SignedRequest {
  const headers = new Headers(request.headers);
  headers.set(name, change(headers.get(name) ?? ""));
  return { ...request, headers };
}

describe("the implementations agree", () => {
  it("on what another library signs", async () => {
    await fc.assert(
      fc.asyncProperty(unsigned, async (draft) => {
        const request = await signedByThem(draft);
        expect(await verifyWith(request, keys)).toMatchObject({ keyId: draft.key.keyId, nonce: draft.nonce });
        expect(await theyAccept(request)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("on what the reference client's library signs", async () => {
    await fc.assert(
      fc.asyncProperty(unsigned, async (draft) => {
        const request = await signedByClients(draft);
        expect(await verifyWith(request, keys)).toMatchObject({ keyId: draft.key.keyId, nonce: draft.nonce });
        expect(await theyAccept(request)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("on refusing what was altered", async () => {
    await fc.assert(
      fc.asyncProperty(unsigned, alterations, async (draft, alter) => {
        const altered = alter(await signedByThem(draft));
        expect(await theyAccept(altered)).toBe(false);
        expect(await codeOf(verifyWith(altered, keys))).toMatch(/^(Signature|Key)/);
      }),
      { numRuns: 300 },
    );
  });
});
