import { describe, expect, it } from "vitest";
import { type PublicJwk, publicJwk } from "../../../shared/api/publicJwk.ts";
import { type SignedMessage, verifyHttpSignature } from "../../../shared/auth/httpSignature.ts";
import { componentsOf, type RequestMessage } from "../../../shared/auth/requestComponents.ts";
import { verifierOf } from "../../../shared/auth/stampKey.ts";
import { codeOf } from "./support.ts";

/**
 * The vectors of RFC 9421 appendix B that use our two algorithms, and section 2.4's. (B.2.1 to B.2.3 are RSA-PSS, B.2.5 is
 * HMAC: neither may sign here.) They cover less than our policy asks for, so they are put to the module beneath it.
 */

const eccP256 = publicJwk.parse({
  kty: "EC",
  crv: "P-256",
  x: "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
  y: "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
});
const ed25519 = publicJwk.parse({ kty: "OKP", crv: "Ed25519", x: "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs" });

const headersOf = (...fields: readonly (readonly [string, string])[]): Headers => {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
};

const requestDigest =
  "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

/** `test-request` of appendix B.2. */
const testRequest: RequestMessage = {
  method: "POST",
  targetUri: "https://example.com/foo?param=Value&Pet=dog",
  headers: headersOf(
    ["Host", "example.com"],
    ["Date", "Tue, 20 Apr 2021 02:07:55 GMT"],
    ["Content-Type", "application/json"],
    ["Content-Digest", requestDigest],
    ["Content-Length", "18"],
  ),
};

/** `test-response` of appendix B.2. */
const testResponse = new Map([
  ["@status", "200"],
  ["date", "Tue, 20 Apr 2021 02:07:56 GMT"],
  ["content-type", "application/json"],
  [
    "content-digest",
    "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
  ],
  ["content-length", "23"],
]);

const clientCert = [
  ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBD",
  "QTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXm",
  "ckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8B",
  "Af8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0",
  "Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:",
].join("");

/** The request of appendix B.4, with these fields beside its date. */
const transformed = (...fields: readonly (readonly [string, string])[]): RequestMessage => ({
  method: "GET",
  targetUri: "https://example.org/demo?name1=Value1&Name2=value2",
  headers: headersOf(["Date", "Fri, 15 Jul 2022 14:24:55 GMT"], ...fields),
});

type Vector = {
  readonly section: string;
  readonly jwk: PublicJwk;
  readonly componentOf: SignedMessage["componentOf"];
  readonly input: string;
  readonly signature: string;
};

const vectors: readonly Vector[] = [
  {
    section: "B.2.4, a response by ecdsa-p256-sha256",
    jwk: eccP256,
    componentOf: (name) => testResponse.get(name),
    input:
      'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    signature: "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:",
  },
  {
    section: "B.2.6, a request by ed25519",
    jwk: ed25519,
    componentOf: componentsOf(testRequest),
    input:
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    signature: "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
  },
  {
    section: "B.3, a request behind a TLS-terminating proxy by ecdsa-p256-sha256",
    jwk: eccP256,
    componentOf: componentsOf({
      ...testRequest,
      targetUri: "https://service.internal.example/foo?param=Value&Pet=dog",
      headers: headersOf(["Client-Cert", clientCert]),
    }),
    input: 'ttrp=("@path" "@query" "@method" "@authority" "client-cert");created=1618884473;keyid="test-key-ecc-p256"',
    signature: "ttrp=:xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==:",
  },
  {
    section: "B.4, a request that is transformed on its way by ed25519",
    jwk: ed25519,
    componentOf: componentsOf(transformed(["Accept", "application/json"], ["accept", "*/*"])),
    input: 'transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    signature: "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
  },
];

const put = ({ input, signature, componentOf, jwk }: Vector) =>
  verifyHttpSignature({ signatureInput: input, signature, componentOf }, async () => verifierOf(jwk));

describe("the vectors of RFC 9421", () => {
  it.each(vectors)("verifies $section", async (vector) => {
    const { components, parameters } = await put(vector);
    const [, covered = ""] = /\((.*)\)/.exec(vector.input) ?? [];
    expect(components.map((name) => `"${name}"`).join(" ")).toBe(covered);
    expect(vector.input).toContain(`keyid="${parameters.keyid}"`);
  });

  it.each(vectors)("refuses $section at another time of creation", async (vector) => {
    const input = vector.input.replace("created=16188844", "created=16188845");
    expect(await codeOf(put({ ...vector, input }))).toBe("SignatureInvalid");
  });

  it.each(vectors)("refuses $section by another key of its kind", async (vector) => {
    const jwk: PublicJwk =
      vector.jwk === ed25519
        ? publicJwk.parse({ ...ed25519, x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
        : publicJwk.parse({
            ...eccP256,
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
          });
    expect(await codeOf(put({ ...vector, jwk }))).toBe("SignatureInvalid");
  });

  it("refuses B.4 where the fields' order changed on the way", async () => {
    const [, , , b4] = vectors;
    if (b4 === undefined) expect.fail("B.4 is there");
    const componentOf = componentsOf(transformed(["accept", "*/*"], ["Accept", "application/json"]));
    expect(await codeOf(put({ ...b4, componentOf }))).toBe("SignatureInvalid");
  });

  it("refuses 2.4, a response bound to its request, before it looks at any value: a component has parameters", async () => {
    const input =
      'reqres=("@status" "content-digest" "content-type" "@authority";req "@method";req "@path";req "content-digest";req);created=1618884479;keyid="test-key-ecc-p256"';
    const signature =
      "reqres=:dMT/A/76ehrdBTD/2Xx8QuKV6FoyzEP/I9hdzKN8LQJLNgzU4W767HK05rx1i8meNQQgQPgQp8wq2ive3tV5Ag==:";
    const componentOf = () => expect.fail("was looked at");
    expect(await codeOf(put({ section: "2.4", jwk: eccP256, input, signature, componentOf }))).toBe(
      "SignatureMalformed",
    );
  });
});

describe("what stands around the signature", () => {
  const b26 = vectors[1];
  if (b26 === undefined) expect.fail("B.2.6 is there");

  it("is not read: a field that is no ASCII and not covered does no harm", async () => {
    const headers = new Headers(testRequest.headers);
    headers.set("X-Office", "M\u00fcnchen");
    await put({ ...b26, componentOf: componentsOf({ ...testRequest, headers }) });
  });

  it("lets the errors of the chooser of keys through as they are", async () => {
    const outage = new Error("storage is away");
    const { input: signatureInput, signature, componentOf } = b26;
    await expect(
      verifyHttpSignature({ signatureInput, signature, componentOf }, async () => {
        throw outage;
      }),
    ).rejects.toBe(outage);
  });
});
