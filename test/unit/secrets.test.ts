import { describe, expect, test } from "vitest";
import { log, withSink } from "../../shared/log.ts";
import { secretsIn } from "../support/secrets/patterns.ts";
import { takeFound, watch } from "../support/secrets/watch.ts";

const planted: Readonly<Record<string, string>> = {
  "a signature of a URL": "https://x.blob.example/landing/bundle.zip?sv=2026&sig=abcDEF123%2Bxyz%3D",
  "a token": `{"value":"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"}`,
  "a bearer's header": "authorization: Bearer 0123456789abcdef0123",
  "a manifest's header": "authorization: Manifest eyJhbGci",
  "a shared key's header": "authorization: SharedKey devstoreaccount1:AbCdEfGh12345678=",
  "an account's key": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=abc==",
  "a shared access signature": "BlobEndpoint=https://x.blob.example;SharedAccessSignature=sv=2026",
  "the private part of a key": `{"kty":"EC","d":"${"a".repeat(43)}"}`,
};

describe("[invariant 9] the watch over every log line of the tests", () => {
  test.for(Object.entries(planted))("finds %s", ([what, line]) => {
    expect(secretsIn(line)).toContain(what);
    expect(secretsIn(JSON.stringify({ event: "x", nested: line }))).toContain(what);
  });

  test("takes no id, hash, time or word about a secret for one", () => {
    const clean = [
      `{"event":"request.refused","operation":"Bundles_Put","code":"SignatureInvalid","requestId":"7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10"}`,
      `{"event":"copy.failed","message":"https://x/y?sig=…"}`,
      `{"event":"x","sha256":"${"0a".repeat(32)}","data":"Bearer tokens are needed"}`,
    ];
    for (const line of clean) expect(secretsIn(line)).toEqual([]);
  });

  test("sees what the service logs, also where a test's own sink takes it, and what a process prints", () => {
    withSink(
      () => {},
      () => log.info("planted", { url: planted["a signature of a URL"] }),
    );
    watch("a service", `ready\n${planted["an account's key"]}\n`);
    const found = takeFound();
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain("abcDEF123");
    expect(found[1]).toMatch(/^a service: an account's key/);
  });
});
