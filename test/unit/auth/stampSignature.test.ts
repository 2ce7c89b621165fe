import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verifyStampSignature } from "../../../shared/auth/stampSignature.ts";
import { DomainError, type ErrorCode } from "../../../shared/errors.ts";
import {
  codeOf,
  type Draft,
  goodParameters,
  makeKey,
  now,
  nowSeconds,
  readDraft,
  refusal,
  registered,
  type SignOptions,
  sha256Field,
  signed,
  submitBody,
  submitDraft,
  submitUri,
  verifyWith,
  withHeader,
} from "./support.ts";

const ec = makeKey("EC");
const okp = makeKey("OKP", "ed");
const keys = [registered(ec), registered(okp)];

const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const withHeaders = (draft: Draft, headers: Record<string, string>): Draft => ({
  ...draft,
  headers: { ...draft.headers, ...headers },
});

describe("a signed request is accepted", () => {
  const facts = {
    nonce: goodParameters.nonce,
    created: new Date(nowSeconds * 1000),
    expires: new Date((nowSeconds + 300) * 1000),
  };

  it.each([
    ["EC P-256", ec],
    ["Ed25519", okp],
  ])("by %s, with and without a body", async (_kind, key) => {
    expect(await verifyWith(signed(submitDraft, key), keys)).toEqual({ ...facts, keyId: key.keyId });
    expect(await verifyWith(signed(readDraft, key), keys)).toEqual({ ...facts, keyId: key.keyId });
  });

  const tolerated: readonly (readonly [string, Draft, SignOptions])[] = [
    ["that names its key's algorithm", submitDraft, { parameters: { alg: "ecdsa-p256-sha256" } }],
    ["under any label", submitDraft, { label: "stamp-1.x" }],
    ["that covers them in another order", submitDraft, { components: [...bodyComponents()].reverse() }],
    [
      "that covers more",
      withHeaders(submitDraft, { "x-ms-client-request-id": "a b" }),
      {
        components: [
          ...bodyComponents(),
          "x-ms-client-request-id",
          "@authority",
          "@scheme",
          "@path",
          "@query",
          "@request-target",
        ],
      },
    ],
    ["with if-match covered", withHeaders(submitDraft, { "if-match": '"1"' }), {}],
    ["with if-none-match covered", withHeaders(submitDraft, { "if-none-match": "*" }), {}],
    ["with a parameter that we do not know", submitDraft, { parameters: { "x-note": "hi" } }],
    ["with the shortest and the longest nonce", submitDraft, { parameters: { nonce: "_".repeat(16) } }],
    ["with the longest nonce", submitDraft, { parameters: { nonce: "-".repeat(64) } }],
    ["with another digest beside sha-256", withHeaders(submitDraft, { "content-digest": twoDigests() }), {}],
    ["with a body of no bytes", { ...readDraft, body: new Uint8Array() }, {}],
    ["without a body, its type stated all the same", withHeaders(readDraft, { "content-type": "text/plain" }), {}],
    [
      "without a body, with the digest of nothing covered",
      withHeaders(readDraft, { "content-digest": sha256Field(new Uint8Array()) }),
      {},
    ],
    [
      "without a body, with a stray digest not covered",
      withHeaders(readDraft, { "content-digest": "nonsense" }),
      { components: ["@method", "@target-uri"] },
    ],
  ];
  it.each(tolerated)("%s", async (_what, draft, options) => {
    expect(await verifyWith(signed(draft, ec, options), keys)).toMatchObject({ keyId: "k1" });
  });

  it.each([
    ["60 s before it was created", -60],
    ["60 s after it expired", 360],
  ])("at a clock %s", async (_what, seconds) => {
    expect(await verifyWith(signed(submitDraft, ec), keys, later(seconds))).toMatchObject({ keyId: "k1" });
  });

  it("by a key in the first and last moment of its validity", async () => {
    const key = registered(ec, { notBefore: now, notAfter: now });
    expect(await verifyWith(signed(submitDraft, ec), [key])).toMatchObject({ keyId: "k1" });
  });
});

describe("a request is refused as unsigned", () => {
  it("without either field", async () => {
    const request = { ...readDraft, headers: new Headers(), body: undefined };
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureMissing");
  });
});

describe("a signature is refused as malformed", () => {
  const good = signed(submitDraft, ec);
  const input = good.headers.get("signature-input") ?? "";
  const signature = good.headers.get("signature") ?? "";

  it.each([
    ["without Signature", withHeader(good, "signature", undefined)],
    ["without Signature-Input", withHeader(good, "signature-input", undefined)],
    ["with an empty Signature", withHeader(good, "signature", "")],
    ["under two labels", withHeader(good, "signature", signature.replace("sig=", "other="))],
    ["with two inputs", withHeader(good, "signature-input", `${input}, two${input.slice(3)}`)],
    [
      "with two signatures, as the host joins duplicate headers",
      withHeader(
        withHeader(good, "signature-input", `${input}, two${input.slice(3)}`),
        "signature",
        `${signature}, two${signature.slice(3)}`,
      ),
    ],
    ["with the same label twice", withHeader(good, "signature-input", `${input}, ${input}`)],
    ["with no base64", withHeader(good, "signature", "sig=:!:")],
    ["with base64 of no length that exists", withHeader(good, "signature", "sig=:AAAAA:")],
    ["with a text for a signature", withHeader(good, "signature", 'sig="AAAA"')],
    ["of ten thousand bytes", withHeader(good, "signature", `sig=:${Buffer.alloc(10_000).toString("base64")}:`)],
    ["with the same label twice in Signature", withHeader(good, "signature", `${signature}, ${signature}`)],
    ["with an input of more than 2 KB", withHeader(good, "signature-input", `${input};x="${"a".repeat(2048)}"`)],
    ["with a parameter twice", withHeader(good, "signature-input", `${input};keyid="k1"`)],
    ["with parameters on the signature", withHeader(good, "signature", `${signature};a=1`)],
    ["with an input that is no list", withHeader(good, "signature-input", "sig=1")],
    ["with an input that does not end", withHeader(good, "signature-input", input.slice(0, 30))],
    ["with a date for a parameter", withHeader(good, "signature-input", input.replace("created=", "created=@"))],
    ["with bytes that are no ASCII", withHeader(good, "signature-input", `${input};x="\u00fc"`)],
  ])("%s", async (_what, request) => {
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureMalformed");
  });

  const malformed: readonly (readonly [string, Draft, SignOptions, RegExp])[] = [
    ["without created", submitDraft, { parameters: { created: undefined } }, /parameter created/],
    ["without expires", submitDraft, { parameters: { expires: undefined } }, /parameter expires/],
    ["without nonce", submitDraft, { parameters: { nonce: undefined } }, /parameter nonce is missing/],
    ["without keyid", submitDraft, { parameters: { keyid: undefined } }, /parameter keyid is missing/],
    ["without tag", submitDraft, { parameters: { tag: undefined } }, /parameter tag must be "stamp-intake"/],
    ["with another tag", submitDraft, { parameters: { tag: "web-bot-auth" } }, /parameter tag/],
    ["with a nonce of 15", submitDraft, { parameters: { nonce: "n".repeat(15) } }, /nonce must be 16 to 64/],
    ["with a nonce of 65", submitDraft, { parameters: { nonce: "n".repeat(65) } }, /nonce must be 16 to 64/],
    ["with a nonce in base64", submitDraft, { parameters: { nonce: "AAAA+AAAA/AAAA==" } }, /nonce must be 16 to 64/],
    ["with a window of 301 s", submitDraft, { parameters: { expires: nowSeconds + 301 } }, /at most 300 seconds/],
    ["with an empty window", submitDraft, { parameters: { expires: nowSeconds } }, /later than created/],
    ["with a window backwards", submitDraft, { parameters: { expires: nowSeconds - 1 } }, /later than created/],
    ["created as a text", submitDraft, { parameters: { created: String(nowSeconds) } }, /created must be an integer/],
    [
      "created at half a second",
      submitDraft,
      { parameters: { created: nowSeconds + 0.5 } },
      /created must be an integer/,
    ],
    ["created with a decimal point", submitDraft, { rawParameters: raw(`${nowSeconds}.0`) }, /canonical form/],
    ["created in sixteen digits", submitDraft, { rawParameters: raw("1234567890123456") }, /cannot be used/],
    ["that covers no method", submitDraft, without("@method"), /must also cover "@method"/],
    ["that covers no target", submitDraft, without("@target-uri"), /must also cover "@target-uri"/],
    ["that covers no digest", submitDraft, without("content-digest"), /must also cover "content-digest"/],
    ["that covers no content type", submitDraft, without("content-type"), /must also cover "content-type"/],
    [
      "that covers no if-match",
      withHeaders(submitDraft, { "if-match": "*" }),
      { components: bodyComponents() },
      /must also cover "if-match"/,
    ],
    [
      "that covers no if-none-match",
      withHeaders(submitDraft, { "if-none-match": "*" }),
      { components: bodyComponents() },
      /must also cover "if-none-match"/,
    ],
    [
      "that covers a field of more than 2 KB",
      withHeaders(submitDraft, { "x-note": "a".repeat(2049) }),
      {},
      /"x-note", which has more than 2048 characters/,
    ],
    ["that covers nothing", submitDraft, { components: [] }, /must also cover "@method" "@target-uri"/],
    [
      "that covers a field which is not there",
      submitDraft,
      withAlso("x-absent"),
      /"x-absent", which the request does not have/,
    ],
    [
      "that covers a digest which is not there",
      { ...submitDraft, headers: { "content-type": "application/json" } },
      { components: bodyComponents() },
      /"content-digest", which the request does not have/,
    ],
    ["that covers one thing twice", submitDraft, withAlso("@method"), /covers "@method" twice/],
    ["that covers what nobody knows", submitDraft, withAlso("@colour"), /@colour/],
    ["that covers what a response has", submitDraft, withAlso("@status"), /@status/],
    ["that covers a query parameter", submitDraft, withAlso('"@query-param";name="api-version"'), /@query-param/],
    ["in capitals", submitDraft, withAlso("X-Absent"), /"X-Absent" is no name of a component/],
    ["with ;req", submitDraft, withAlso('"@path";req'), /cannot be used/],
    ["with ;sf", submitDraft, withAlso('"x-absent";sf'), /cannot be used/],
    ["with ;bs", submitDraft, withAlso('"x-absent";bs'), /cannot be used/],
    ["with ;tr", submitDraft, withAlso('"x-absent";tr'), /cannot be used/],
    [
      "with ;key",
      submitDraft,
      { components: [...bodyComponents(), '"content-digest";key="sha-256"'] },
      /component "content-digest" must have no parameters/,
    ],
  ];
  it.each(malformed)("%s", async (_what, draft, options, message) => {
    const error = await refusal(verifyWith(signed(draft, ec, options), keys));
    expect(error.code).toBe("SignatureMalformed");
    expect(error.message).toMatch(message);
  });

  it("before any key is looked up", async () => {
    const request = signed(submitDraft, ec, { parameters: { nonce: "short" } });
    const keyOf = () => expect.fail("was looked up");
    expect(await codeOf(verifyStampSignature(request, { keyOf, now }))).toBe("SignatureMalformed");
  });
});

describe("a key is refused", () => {
  const request = signed(submitDraft, ec);

  it("as unknown where none is registered by its id", async () => {
    expect(await codeOf(verifyWith(request, [registered(okp)]))).toBe("KeyUnknown");
  });

  it.each(["", "a/b", "k 1", "k".repeat(65), "k#1", "k\\\\1"])(
    "as unknown, and not looked up, by the id %j",
    async (id) => {
      const keyOf = () => expect.fail("was looked up");
      const strange = signed(submitDraft, ec, { parameters: { keyid: id } });
      expect(await codeOf(verifyStampSignature(strange, { keyOf, now }))).toBe("KeyUnknown");
    },
  );

  it.each([
    ["retired", { state: "retired" }],
    ["not yet valid", { notBefore: later(1) }],
    ["no longer valid", { notAfter: later(-1) }],
  ] as const)("as %s", async (_what, change) => {
    expect(await codeOf(verifyWith(request, [registered(ec, change)]))).toBe("KeyRetired");
  });

  it("with the error of the lookup itself, where that fails", async () => {
    const outage = new DomainError("ServiceUnavailable", "Send it again.");
    const keyOf = () => Promise.reject(outage);
    expect(await refusal(verifyStampSignature(request, { keyOf, now }))).toBe(outage);
  });
});

describe("a signature is refused for its time", () => {
  it("when it has expired", async () => {
    expect(await codeOf(verifyWith(signed(submitDraft, ec), keys, later(361)))).toBe("SignatureExpired");
  });

  it("when it is from the future", async () => {
    expect(await codeOf(verifyWith(signed(submitDraft, ec), keys, later(-61)))).toBe("SignatureNotYetValid");
  });

  it.each([
    [-500, -200, "SignatureExpired"],
    [-0, 300, "SignatureExpired"],
    [-999_999_999_999_999, -999_999_999_999_900, "SignatureExpired"],
    [999_999_999_999_700, 999_999_999_999_999, "SignatureNotYetValid"],
  ] as const)("when it was created at %d", async (created, expires, code) => {
    expect(await codeOf(verifyWith(signed(submitDraft, ec, { parameters: { created, expires } }), keys))).toBe(code);
  });
});

describe("a signature is refused as invalid", () => {
  const good = signed(submitDraft, ec);

  it.each([
    ["for another method", { ...good, method: "PUT" }],
    ["for another path", { ...good, targetUri: submitUri.replace(":submit", ":cancel") }],
    ["for another query", { ...good, targetUri: `${submitUri}&a=1` }],
    ["for another host", { ...good, targetUri: submitUri.replace("intake.", "intake2.") }],
    ["for another scheme", { ...good, targetUri: submitUri.replace("https", "http") }],
    ["with another content type", withHeader(good, "content-type", "text/plain")],
    [
      "with another body and its digest",
      { ...withHeader(good, "content-digest", sha256Field(Buffer.from("{}"))), body: Buffer.from("{}") },
    ],
    ["with another nonce", withHeader(good, "signature-input", input(good).replace("n0nce", "n1nce"))],
    ["of no bytes", withHeader(good, "signature", "sig=::")],
    ["of 63 bytes", withHeader(good, "signature", `sig=:${Buffer.alloc(63).toString("base64")}:`)],
    ["of zeros", withHeader(good, "signature", `sig=:${Buffer.alloc(64).toString("base64")}:`)],
    ["of 300 bytes", withHeader(good, "signature", `sig=:${Buffer.alloc(300).toString("base64")}:`)],
  ])("%s", async (_what, request) => {
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureInvalid");
  });

  it("by another key than the one it names", async () => {
    const other = makeKey("EC");
    expect(await codeOf(verifyWith(signed(submitDraft, other), keys))).toBe("SignatureInvalid");
  });

  it("by a key of the other kind", async () => {
    const request = signed(submitDraft, okp, { parameters: { keyid: ec.keyId } });
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureInvalid");
  });

  it.each(["ed25519", "hmac-sha256", "rsa-pss-sha512", "none", ""])("with the alg %j", async (alg) => {
    expect(await codeOf(verifyWith(signed(submitDraft, ec, { parameters: { alg } }), keys))).toBe("SignatureInvalid");
  });

  it("when it is DER, as OpenSSL writes it by default", async () => {
    const der = `sig=:MEUCIQ${"A".repeat(88)}==:`;
    expect(await codeOf(verifyWith(withHeader(good, "signature", der), keys))).toBe("SignatureInvalid");
  });
});

describe("a body is refused", () => {
  const typeOnly = { "content-type": "application/json" };

  const digests: readonly (readonly [string, Draft, ErrorCode])[] = [
    ["without a digest", { ...submitDraft, headers: typeOnly }, "DigestMissing"],
    ["with sha-512 alone", withHeaders(submitDraft, { "content-digest": sha512() }), "DigestMissing"],
    ["with a digest that is no field", withHeaders(submitDraft, { "content-digest": "sha-256" }), "DigestMissing"],
    ["with a digest as a text", withHeaders(submitDraft, { "content-digest": 'sha-256="AA"' }), "DigestMissing"],
    ["with a digest in hex", withHeaders(submitDraft, { "content-digest": "sha-256=0a" }), "DigestMissing"],
    ["with the digest of nothing", withHeaders(submitDraft, { "content-digest": "sha-256=::" }), "DigestMismatch"],
    ["with another's", withHeaders(submitDraft, { "content-digest": sha256Field(Buffer.from("x")) }), "DigestMismatch"],
    [
      "with a right sha-512 beside a wrong sha-256",
      withHeaders(submitDraft, { "content-digest": `${sha256Field(Buffer.from("x"))}, ${sha512()}` }),
      "DigestMismatch",
    ],
    [
      "that is absent, with the digest of another",
      withHeaders(readDraft, { "content-digest": sha256Field(submitBody) }),
      "DigestMismatch",
    ],
  ];
  it.each(digests)("%s", async (_what, draft, code) => {
    expect(await codeOf(verifyWith(signed(draft, ec), keys))).toBe(code);
  });

  it("when it is not the one that was signed", async () => {
    const request = { ...signed(submitDraft, ec), body: Buffer.from('{"sizeBytes":2}') };
    expect(await codeOf(verifyWith(request, keys))).toBe("DigestMismatch");
  });

  it("that is gone", async () => {
    expect(await codeOf(verifyWith({ ...signed(submitDraft, ec), body: undefined }, keys))).toBe("DigestMismatch");
  });

  it("that nobody signed for", async () => {
    const request = { ...signed(readDraft, ec), body: submitBody };
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureMalformed");
  });

  it("only after the signature: a wrong digest under a wrong signature is SignatureInvalid", async () => {
    const request = withHeader(signed(submitDraft, ec), "content-digest", sha512());
    expect(await codeOf(verifyWith(request, keys))).toBe("SignatureInvalid");
  });
});

describe("the first thing that is wrong is what is said", () => {
  const expired = { created: nowSeconds - 1000, expires: nowSeconds - 900 };

  it.each([
    ["malformed before unknown", { parameters: { keyid: "nobody", tag: "x" } }, {}, "SignatureMalformed"],
    ["unknown before expired", { parameters: { ...expired, keyid: "nobody" } }, {}, "KeyUnknown"],
    ["retired before expired", { parameters: expired }, { state: "retired" }, "KeyRetired"],
    ["expired before invalid", { parameters: { ...expired, alg: "ed25519" } }, {}, "SignatureExpired"],
  ] as const)("%s", async (_what, options, change, code) => {
    expect(await codeOf(verifyWith(signed(submitDraft, ec, options), [registered(ec, change)]))).toBe(code);
  });
});

it("every refusal says what to do, in more than a word", async () => {
  const refusals = await Promise.all([
    refusal(verifyWith({ ...readDraft, headers: new Headers(), body: undefined }, keys)),
    refusal(verifyWith(signed(submitDraft, ec), [])),
    refusal(verifyWith(signed(submitDraft, ec), [registered(ec, { state: "retired" })])),
    refusal(verifyWith(signed(submitDraft, ec), keys, later(1000))),
    refusal(verifyWith(signed(submitDraft, ec), keys, later(-1000))),
    refusal(verifyWith({ ...signed(submitDraft, ec), method: "GET" }, keys)),
    refusal(verifyWith({ ...signed(submitDraft, ec), body: Buffer.from("x") }, keys)),
  ]);
  for (const { message } of refusals) expect(message).toMatch(/(sign|send|set|check|register).*\./i);
});

function bodyComponents(): readonly string[] {
  return ["@method", "@target-uri", "content-type", "content-digest"];
}

function without(name: string): SignOptions {
  return { components: bodyComponents().filter((component) => component !== name) };
}

function withAlso(component: string): SignOptions {
  return { components: [...bodyComponents(), component] };
}

function raw(created: string): string {
  return `;created=${created};expires=${nowSeconds + 300};nonce="n0nce-n0nce-n0nce";keyid="k1";tag="stamp-intake"`;
}

function sha512(): string {
  return `sha-512=:${createHash("sha512").update(submitBody).digest("base64")}:`;
}

function twoDigests(): string {
  return `${sha512()}, ${sha256Field(submitBody)}`;
}

function input(request: { readonly headers: Headers }): string {
  return request.headers.get("signature-input") ?? "";
}
