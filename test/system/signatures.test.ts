import { randomUUID, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { RawRequest } from "../support/system/http.ts";
import {
  contentDigest,
  freshNonce,
  makeKey,
  type SignatureOptions,
  type StampKey,
  signed,
} from "../support/system/signing.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type World, withVersion } from "../support/system/world.ts";

/** API.md, Signing a request: what a stamp's signature must be, and how each lack is refused without any effect. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** A write whose effect is easy to see: it enables proactive collection. */
async function enabling(stamp: StampActor, headers: RawRequest["headers"] = {}): Promise<RawRequest> {
  return {
    method: "PUT",
    path: withVersion(`${stamp.path}/consents/proactiveCollection`),
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ state: "enabled", decidedBy: "operator", termsVersion: await world.currentTerms() }),
  };
}
const reading = (stamp: StampActor): RawRequest => ({ method: "GET", path: withVersion(stamp.path) });

const signedEnabling = async (stamp: StampActor, options: SignatureOptions = {}, key: StampKey = stamp.key) =>
  signed(world.origin, key, await enabling(stamp), options);

const inSeconds = (seconds: number): Date => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000);
const window = (from: number, to: number): SignatureOptions => ({ created: inSeconds(from), expires: inSeconds(to) });
const withHeaders = (raw: RawRequest, headers: RawRequest["headers"]): RawRequest => ({
  ...raw,
  headers: { ...raw.headers, ...headers },
});
const withoutHeader = (raw: RawRequest, name: string): RawRequest => ({
  ...raw,
  headers: Object.fromEntries(Object.entries(raw.headers ?? {}).filter(([each]) => each !== name)),
});
const header = (raw: RawRequest, name: string): string => String(raw.headers?.[name] ?? "");

describe("a signature is taken", () => {
  it.each(["EC", "OKP"] as const)("from an %s key, with a body and without", async (keyKind) => {
    const stamp = await world.registeredStamp({ keyKind });
    expectStatus(await world.send(await signed(world.origin, stamp.key, reading(stamp))), 200);
    expect((await stamp.enableConsent()).state).toBe("enabled");
  });

  const usual = ["@method", "@target-uri", "content-digest", "content-type"];
  const fine: readonly [string, (stamp: StampActor) => Promise<RawRequest>][] = [
    ["under any label", (stamp) => signedEnabling(stamp, { label: "my-label.1" })],
    ["with its components in another order", (stamp) => signedEnabling(stamp, { fields: usual.toReversed() })],
    [
      "with its parameters in another order",
      (stamp) => signedEnabling(stamp, { params: ["tag", "nonce", "keyid", "expires", "created"] }),
    ],
    [
      "that names the key's own alg",
      (stamp) =>
        signedEnabling(stamp, {
          alg: "ecdsa-p256-sha256",
          params: ["created", "expires", "nonce", "keyid", "tag", "alg"],
        }),
    ],
    ["from a clock 50 seconds fast", (stamp) => signedEnabling(stamp, window(50, 350))],
    // It has to arrive before the skew of 60 seconds is over; unit/auth/stampSignature.test.ts goes to that second.
    ["from a clock 20 seconds slow", (stamp) => signedEnabling(stamp, window(-320, -20))],
    [
      "with a nonce of 16 characters",
      (stamp) => signedEnabling(stamp, { nonce: `abcdefghABCD_-${freshNonce().slice(0, 2)}` }),
    ],
    [
      "with a nonce of 64 characters",
      (stamp) => signedEnabling(stamp, { nonce: `${freshNonce()}${freshNonce()}${freshNonce()}`.slice(0, 64) }),
    ],
    [
      "that covers more",
      async (stamp) =>
        signed(
          world.origin,
          stamp.key,
          await enabling(stamp, { "x-ms-client-request-id": "abc", date: new Date().toUTCString() }),
          {
            fields: [...usual, "x-ms-client-request-id", "date", "@path", "@query"],
          },
        ),
    ],
    [
      "where a sha-512 stands beside the sha-256",
      async (stamp) => {
        const raw = await enabling(stamp);
        const digest = `${contentDigest(raw.body ?? "", "sha512")}, ${contentDigest(raw.body ?? "")}`;
        return signed(world.origin, stamp.key, withHeaders(raw, { "content-digest": digest }));
      },
    ],
    [
      "whatever the Host header says, as the public origin is what is signed",
      async (stamp) => withHeaders(await signedEnabling(stamp), { host: "localhost:1" }),
    ],
  ];
  it.each(fine)("%s", async (_name, request) => {
    const stamp = await world.registeredStamp();
    const answer = await world.send(await request(stamp));
    expect([200, 201], answer.text).toContain(answer.status);
  });

  it("for a path in upper case, where that is what was signed", async () => {
    const stamp = await world.registeredStamp();
    const raw = { method: "GET", path: withVersion(`/stamps/${stamp.stampId.toUpperCase()}`) };
    expectStatus(await world.send(await signed(world.origin, stamp.key, raw)), 200);
  });

  it("with the same nonce as another stamp's", async () => {
    const nonce = freshNonce();
    for (const stamp of [await world.registeredStamp(), await world.registeredStamp()]) {
      expectStatus(await stamp.call("GET", stamp.path, undefined, { signature: { nonce } }), 200);
    }
  });

  it("with the nonce of one that did not verify", async () => {
    const stamp = await world.registeredStamp();
    const nonce = freshNonce();
    const forged = await stamp.call("GET", stamp.path, undefined, {
      key: makeKey("EC", stamp.key.keyId),
      signature: { nonce },
    });
    expectRefusal(forged, 401, "SignatureInvalid");
    expectStatus(await stamp.call("GET", stamp.path, undefined, { signature: { nonce } }), 200);
  });
});

describe("a signature is refused, and nothing changes:", () => {
  const all = ["created", "expires", "nonce", "keyid", "tag"];
  const usual = ["@method", "@target-uri", "content-digest", "content-type"];
  const flipped = (raw: RawRequest): RawRequest => {
    const bytes = Buffer.from(/:(.*):/.exec(header(raw, "signature"))?.[1] ?? "", "base64");
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    return withHeaders(raw, { signature: `sig=:${bytes.toString("base64")}:` });
  };
  type Bend = (stamp: StampActor) => Promise<RawRequest>;
  const bends: readonly [what: string, code: string | readonly string[], bend: Bend][] = [
    ["unsigned", "SignatureMissing", enabling],
    [
      "no Signature beside Signature-Input",
      ["SignatureMissing", "SignatureMalformed"],
      async (stamp) => withoutHeader(await signedEnabling(stamp), "signature"),
    ],
    [
      "no Signature-Input beside Signature",
      ["SignatureMissing", "SignatureMalformed"],
      async (stamp) => withoutHeader(await signedEnabling(stamp), "signature-input"),
    ],
    ["a turned bit", "SignatureInvalid", async (stamp) => flipped(await signedEnabling(stamp))],
    [
      "another key under the registered keyId",
      "SignatureInvalid",
      (stamp) => signedEnabling(stamp, {}, makeKey("EC", stamp.key.keyId)),
    ],
    [
      "another kind of key under the registered keyId",
      "SignatureInvalid",
      (stamp) => signedEnabling(stamp, {}, makeKey("OKP", stamp.key.keyId)),
    ],
    [
      "a signature of no bytes",
      ["SignatureInvalid", "SignatureMalformed"],
      async (stamp) => withHeaders(await signedEnabling(stamp), { signature: "sig=::" }),
    ],
    [
      "zeros for r and s",
      "SignatureInvalid",
      async (stamp) =>
        withHeaders(await signedEnabling(stamp), { signature: `sig=:${Buffer.alloc(64).toString("base64")}:` }),
    ],
    ["an unknown keyid", "KeyUnknown", (stamp) => signedEnabling(stamp, { keyid: "nobody" })],
    ["a keyid that can be none", "KeyUnknown", (stamp) => signedEnabling(stamp, { keyid: "no/body?" })],
    [
      "another stamp's key",
      "KeyUnknown",
      async (stamp) => signedEnabling(stamp, {}, (await world.registeredStamp()).key),
    ],
    ["expired", "SignatureExpired", (stamp) => signedEnabling(stamp, window(-400, -100))],
    ["expired for years", "SignatureExpired", (stamp) => signedEnabling(stamp, window(-100_000_000, -99_999_800))],
    ["from the future", "SignatureNotYetValid", (stamp) => signedEnabling(stamp, window(200, 300))],
    ["a window of 301 seconds", "SignatureMalformed", (stamp) => signedEnabling(stamp, window(0, 301))],
    ["expires before created", "SignatureMalformed", (stamp) => signedEnabling(stamp, window(0, -1))],
    ["expires at created", "SignatureMalformed", (stamp) => signedEnabling(stamp, window(0, 0))],
    [
      "another path",
      "SignatureInvalid",
      async (stamp) => ({ ...(await signedEnabling(stamp, { path: withVersion("/stamps/x") })) }),
    ],
    [
      "another query",
      "SignatureInvalid",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return { ...raw, path: `${raw.path}&top=1` };
      },
    ],
    ["another host", "SignatureInvalid", (stamp) => signedEnabling(stamp, { origin: "http://elsewhere.example" })],
    [
      "another host, which the Host header names too",
      "SignatureInvalid",
      async (stamp) =>
        withHeaders(await signedEnabling(stamp, { origin: "http://localhost:1" }), { host: "localhost:1" }),
    ],
    [
      "another scheme",
      "SignatureInvalid",
      (stamp) => signedEnabling(stamp, { origin: world.origin.replace("http:", "https:") }),
    ],
    ["another method", "SignatureInvalid", (stamp) => signedEnabling(stamp, { method: "POST" })],
    [
      "another body than its digest's",
      "DigestMismatch",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return { ...raw, body: `${raw.body} ` };
      },
    ],
    [
      "a digest of another body, changed on the way",
      ["SignatureInvalid", "DigestMismatch"],
      async (stamp) => withHeaders(await signedEnabling(stamp), { "content-digest": contentDigest("{}") }),
    ],
    [
      "a right sha-512 beside a wrong sha-256",
      "DigestMismatch",
      async (stamp) => {
        const raw = await enabling(stamp);
        const digest = `${contentDigest(raw.body ?? "", "sha512")}, ${contentDigest("{}")}`;
        return signed(world.origin, stamp.key, withHeaders(raw, { "content-digest": digest }));
      },
    ],
    [
      "no digest",
      "DigestMissing",
      async (stamp) => {
        const raw = await signedEnabling(stamp, { fields: ["@method", "@target-uri", "content-type"] });
        return withoutHeader(raw, "content-digest");
      },
    ],
    [
      "only a sha-512",
      "DigestMissing",
      async (stamp) => {
        const raw = await enabling(stamp);
        return signed(
          world.origin,
          stamp.key,
          withHeaders(raw, { "content-digest": contentDigest(raw.body ?? "", "sha512") }),
        );
      },
    ],
    [
      "a digest that is no structured field",
      ["DigestMissing", "DigestMismatch"],
      async (stamp) =>
        signed(
          world.origin,
          stamp.key,
          withHeaders(await enabling(stamp), { "content-digest": "sha-256=nonsense===" }),
        ),
    ],
    ...usual.map((left): [string, string, Bend] => [
      `${left} not covered`,
      "SignatureMalformed",
      (stamp) => signedEnabling(stamp, { fields: usual.filter((each) => each !== left) }),
    ]),
    [
      "If-Match not covered",
      "SignatureMalformed",
      async (stamp) => withHeaders(await signedEnabling(stamp), { "if-match": "*" }),
    ],
    [
      "If-None-Match not covered",
      "SignatureMalformed",
      async (stamp) => withHeaders(await signedEnabling(stamp), { "if-none-match": "*" }),
    ],
    [
      "If-None-Match taken away",
      "SignatureMalformed",
      async (stamp) =>
        withoutHeader(
          await signed(world.origin, stamp.key, await enabling(stamp, { "if-none-match": '"x"' })),
          "if-none-match",
        ),
    ],
    [
      "a Signature-Input of more than 2 KB",
      "SignatureMalformed",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return withHeaders(raw, { "signature-input": `${header(raw, "signature-input")};x="${"a".repeat(2048)}"` });
      },
    ],
    [
      "a Signature of more than 512 bytes",
      "SignatureMalformed",
      async (stamp) =>
        withHeaders(await signedEnabling(stamp), { signature: `sig=:${Buffer.alloc(390).toString("base64")}:` }),
    ],
    [
      "a covered field that is absent",
      "SignatureMalformed",
      async (stamp) => {
        const raw = await signed(world.origin, stamp.key, await enabling(stamp, { "x-more": "1" }), {
          fields: [...usual, "x-more"],
        });
        return withoutHeader(raw, "x-more");
      },
    ],
    ["nothing covered", "SignatureMalformed", (stamp) => signedEnabling(stamp, { fields: [] })],
    [
      "a component covered twice",
      "SignatureMalformed",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return withHeaders(raw, {
          "signature-input": header(raw, "signature-input").replace('"@method"', '"@method" "@method"'),
        });
      },
    ],
    ...all.map((left): [string, string, Bend] => [
      `no ${left}`,
      "SignatureMalformed",
      (stamp) => signedEnabling(stamp, { params: all.filter((each) => each !== left) }),
    ]),
    ["another tag", "SignatureMalformed", (stamp) => signedEnabling(stamp, { tag: "other-service" })],
    ["a nonce of 15 characters", "SignatureMalformed", (stamp) => signedEnabling(stamp, { nonce: "a".repeat(15) })],
    ["a nonce of 65 characters", "SignatureMalformed", (stamp) => signedEnabling(stamp, { nonce: "a".repeat(65) })],
    [
      "a nonce of other characters",
      "SignatureMalformed",
      (stamp) => signedEnabling(stamp, { nonce: "abcdefghijklm+/=" }),
    ],
    [
      "two signatures",
      "SignatureMalformed",
      async (stamp) => {
        const one = await signedEnabling(stamp, { label: "one" });
        const two = await signedEnabling(stamp, { label: "two" });
        return withHeaders(one, {
          "signature-input": `${header(one, "signature-input")}, ${header(two, "signature-input")}`,
          signature: `${header(one, "signature")}, ${header(two, "signature")}`,
        });
      },
    ],
    [
      "two signatures in headers of their own",
      "SignatureMalformed",
      async (stamp) => {
        const one = await signedEnabling(stamp, { label: "one" });
        const two = await signedEnabling(stamp, { label: "two" });
        return withHeaders(one, {
          "signature-input": [header(one, "signature-input"), header(two, "signature-input")],
          signature: [header(one, "signature"), header(two, "signature")],
        });
      },
    ],
    [
      "labels that do not fit",
      "SignatureMalformed",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return withHeaders(raw, { signature: header(raw, "signature").replace("sig=", "gis=") });
      },
    ],
    [
      "headers that are no structured fields",
      "SignatureMalformed",
      async (stamp) => withHeaders(await signedEnabling(stamp), { "signature-input": "((((", signature: "))))" }),
    ],
    ...["ed25519", "ecdsa-p384-sha384", "rsa-pss-sha512", "hmac-sha256", "none", "invented"].map(
      (alg): [string, string, Bend] => [
        `alg ${alg} for a P-256 key`,
        "SignatureInvalid",
        (stamp) => signedEnabling(stamp, { alg, params: [...all, "alg"] }),
      ],
    ),
    [
      "created as a decimal",
      "SignatureMalformed",
      async (stamp) => {
        const raw = await signedEnabling(stamp);
        return withHeaders(raw, {
          "signature-input": header(raw, "signature-input").replace(/created=(\d+)/, "created=$1.0"),
        });
      },
    ],
  ];
  it.each(bends)("%s", async (_what, code, bend) => {
    const stamp = await world.registeredStamp();
    const request = await bend(stamp);
    const answer = await unchanged(world, stamp, () => world.send(request));
    const [first = ""] = [code].flat();
    expectRefusal(answer, 401, [code].flat().find((each) => each === answer.headers["x-ms-error-code"]) ?? first);
    expect(answer.headers.date).toMatch(/GMT$/);
  });

  it("a DER signature", async () => {
    const stamp = await world.registeredStamp();
    const raw = await enabling(stamp);
    const digest = contentDigest(raw.body ?? "");
    const [now, soon] = [inSeconds(0), inSeconds(60)].map((date) => date.getTime() / 1000);
    const input = `("@method" "@target-uri" "content-digest" "content-type");created=${now};expires=${soon};nonce="${freshNonce()}";keyid="${stamp.key.keyId}";tag="stamp-intake"`;
    const base = [
      '"@method": PUT',
      `"@target-uri": ${world.origin}${raw.path}`,
      `"content-digest": ${digest}`,
      '"content-type": application/json',
      `"@signature-params": ${input}`,
    ].join("\n");
    const send = (dsaEncoding: "der" | "ieee-p1363") => {
      const signature = sign("sha256", Buffer.from(base), { key: stamp.key.privateKey, dsaEncoding }).toString(
        "base64",
      );
      return world.send(
        withHeaders(raw, { "content-digest": digest, "signature-input": `a=${input}`, signature: `a=:${signature}:` }),
      );
    };
    expectRefusal(await unchanged(world, stamp, () => send("der")), 401, "SignatureInvalid");
    const answer = await send("ieee-p1363");
    expect([200, 201], answer.text).toContain(answer.status);
  });

  it("on another stamp's path", async () => {
    const [mine, other] = [await world.registeredStamp(), await world.registeredStamp()];
    const answer = await unchanged(world, [mine, other], () => mine.call("GET", other.path));
    expectRefusal(answer, 401, "KeyUnknown");
  });

  it("by the same keyId as another stamp's, with its own key", async () => {
    const mine = await world.registeredStamp({ key: makeKey("EC", "k1") });
    const other = await world.registeredStamp({ key: makeKey("EC", "k1") });
    expectRefusal(await mine.call("GET", other.path), 401, "SignatureInvalid");
  });

  it("for a stamp that nobody registered", async () => {
    const stamp = await world.registeredStamp();
    const unknown = { path: `/stamps/${randomUUID()}` };
    expectRefusal(await stamp.call("GET", unknown.path), 401, "KeyUnknown");
  });
});

describe("a signature works once", () => {
  it("replayed as it was", async () => {
    const stamp = await world.registeredStamp();
    const request = await signedEnabling(stamp);
    expect([200, 201]).toContain((await world.send(request)).status);
    await stamp.disableConsent();
    expectRefusal(await unchanged(world, stamp, () => world.send(request)), 401, "SignatureReplayed");
  });

  it("with its nonce in another request", async () => {
    const stamp = await world.registeredStamp();
    const nonce = freshNonce();
    expectStatus(await stamp.call("GET", stamp.path, undefined, { signature: { nonce } }), 200);
    expectRefusal(
      await stamp.call("GET", `${stamp.path}/bundles`, undefined, { signature: { nonce } }),
      401,
      "SignatureReplayed",
    );
  });

  it("also where the request was refused after the signature verified", async () => {
    const stamp = await world.registeredStamp();
    const request = await signed(world.origin, stamp.key, { ...(await enabling(stamp)), body: "{}" });
    expectRefusal(await world.send(request), 400, "InvalidBody");
    expectRefusal(await world.send(request), 401, "SignatureReplayed");
  });

  it("of twenty sent at once, one is served", async () => {
    const stamp = await world.registeredStamp();
    const request = await signed(world.origin, stamp.key, reading(stamp));
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(request)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
  });

  it("after a restart of the service too", async () => {
    const stamp = await world.registeredStamp();
    const request = await signed(world.origin, stamp.key, reading(stamp));
    const origin = world.origin;
    expectStatus(await world.send(request), 200);
    await world.restart({ PUBLIC_ORIGIN: origin });
    try {
      expectRefusal(await world.send(request), 401, "SignatureReplayed");
    } finally {
      await world.restart({});
    }
  });
});

describe("a key", () => {
  const refusedKey = async (validity: Readonly<Record<string, string>>) => {
    const key = makeKey();
    const stamp = await world.registeredStamp({
      key,
      registration: { keys: [{ keyId: key.keyId, jwk: key.jwk, ...validity }] },
    });
    return unchanged(world, stamp, () => stamp.call("GET", stamp.path));
  };

  it("does not sign before its notBefore", async () => {
    expectRefusal(await refusedKey({ notBefore: new Date(Date.now() + 3_600_000).toISOString() }), 401, "KeyRetired");
  });

  it("does not sign after its notAfter", async () => {
    expectRefusal(await refusedKey({ notAfter: new Date(Date.now() - 3_600_000).toISOString() }), 401, "KeyRetired");
  });

  it("does not sign once the registration leaves it out", async () => {
    const stamp = await world.registeredStamp();
    const next = makeKey();
    expectStatus(await stamp.register({ keys: [{ keyId: next.keyId, jwk: next.jwk }] }), 200);
    expectRefusal(await unchanged(world, stamp, () => stamp.call("GET", stamp.path)), 401, "KeyRetired");
    expectStatus(await stamp.call("GET", stamp.path, undefined, { key: next }), 200);
  });

  it("of a disabled stamp is told so only where it signed well", async () => {
    const stamp = await world.registeredStamp();
    const registrar = await world.person("R");
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
    const forged = await signedEnabling(stamp, {}, makeKey("EC", stamp.key.keyId));
    expectRefusal(await world.send(forged), 401, "SignatureInvalid");
    const good = await signedEnabling(stamp);
    expectRefusal(await unchanged(world, stamp, () => world.send(good)), 403, "StampDisabled");
  });
});
