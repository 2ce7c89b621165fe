import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactVerify, createLocalJWKSet } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filePaperSigner } from "../../../shared/auth/filePapers.ts";
import { ConfigurationError } from "../../../shared/config.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "papers-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let files = 0;
function file(content: unknown): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const privateKey = (kid: string, namedCurve = "P-256") => ({
  ...generateKeyPairSync("ec", { namedCurve }).privateKey.export({ format: "jwk" }),
  kid,
});
const present = privateKey("2026");
const former = privateKey("2025");
const claims = {
  iss: "https://intake.example.com",
  iat: 1,
  jti: "j",
  sub: "s",
  decision: "enabled",
  note: "M\u00fcnchen",
};

describe("a signer from a file", () => {
  const signer = () => filePaperSigner(file({ keys: [present, former] }));

  it("signs with the first key, so that the published set verifies it", async () => {
    const { sign, publicKeys } = signer();
    const paper = await sign("consent-receipt+jwt", claims);
    const { payload, protectedHeader } = await compactVerify(paper, createLocalJWKSet(await publicKeys()));
    expect(protectedHeader).toEqual({ alg: "ES256", kid: "2026", typ: "consent-receipt+jwt" });
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(claims);
  });

  it("publishes the public half of every key, and nothing else of it", async () => {
    const { keys } = await signer().publicKeys();
    expect(keys).toEqual(
      [present, former].map(({ x, y, kid }) => ({ kty: "EC", crv: "P-256", x, y, kid, use: "sig", alg: "ES256" })),
    );
  });
});

describe("a file of signing keys is refused", () => {
  const without = (name: string) => ({ keys: [{ ...present, [name]: undefined }] });

  it.each([
    ["that is no JSON", () => file(`{"keys":[{"d":"${present.d}`), /is not JSON/],
    ["that is empty", () => file(""), /is not JSON/],
    ["without keys", () => file({}), /keys/],
    ["with an empty list", () => file({ keys: [] }), /at least one key/],
    ["with a key without kid", () => file(without("kid")), /keys\.0\.kid/],
    ["with a public key", () => file(without("d")), /keys\.0\.d/],
    ["with a key of another curve", () => file({ keys: [privateKey("a", "P-384")] }), /keys\.0\.crv/],
    ["with a kid twice", () => file({ keys: [present, { ...former, kid: present.kid }] }), /must not repeat a kid/],
    [
      "with halves of two keys",
      () => file({ keys: [{ ...present, d: former.d }] }),
      /no valid P-256 key under kid 2026/,
    ],
    ["with a point off the curve", () => file({ keys: [{ ...present, y: present.x }] }), /no valid P-256 key/],
    ["that is a folder", () => folder, /cannot be read \(EISDIR\)/],
    ["that is not there", () => join(folder, "absent.json"), /cannot be read \(ENOENT\)/],
  ])("%s", (_what, path, message) => {
    const start = () => filePaperSigner(path());
    expect(start).toThrow(ConfigurationError);
    expect(start).toThrow(/^SIGNING_KEY_FILE: /);
    expect(start).toThrow(message);
    expect(start).not.toThrow(String(present.d));
  });
});
