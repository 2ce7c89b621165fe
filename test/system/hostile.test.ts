import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectStatus } from "../support/system/expectations.ts";
import { openWorld, type World, withVersion } from "../support/system/world.ts";

/** What strangers send holds nobody up: their requests cost no more than others of the same length. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

type Headers = Readonly<Record<string, string>>;

const length = 31_000;
const spaces = `a${" ".repeat(length)}b`;
const input = 'sig=("@method" "@target-uri");created=1795300000;expires=1795300300;nonce="0123456789abcdef";keyid="k1"';
const hostile: readonly [what: string, headers: Headers][] = [
  ["spaces in Signature-Input", { "signature-input": spaces, signature: "sig=:AAAA:" }],
  ["spaces in Signature", { "signature-input": input, signature: spaces }],
  ["spaces in a header that no signature covers", { "signature-input": input, signature: "sig=:AAAA:", "x-a": spaces }],
  ["escaped quotes", { "signature-input": '\\"'.repeat(length / 2), signature: "sig=:AAAA:" }],
  ["many components", { "signature-input": `sig=(${'"a" '.repeat(length / 4)})`, signature: "sig=:AAAA:" }],
  ["a token of spaces", { authorization: `Bearer ${" ".repeat(length)}` }],
];

/** Milliseconds in which ten calls of `/health` were answered, while strangers sent these headers without a pause. */
async function healthAmong(headers: Headers): Promise<number> {
  let isOver = false;
  const path = withVersion(`/stamps/${randomUUID()}`);
  const strangers = Array.from({ length: 4 }, async () => {
    while (!isOver) expectStatus(await world.send({ method: "GET", path, headers }), 401);
  });
  const begun = performance.now();
  try {
    for (let call = 0; call < 10; call += 1) expectStatus(await world.send({ method: "GET", path: "/health" }), 200);
    return performance.now() - begun;
  } finally {
    isOver = true;
    await Promise.all(strangers);
  }
}

it.each(hostile)("/health keeps answering among requests with %s", async (_what, headers) => {
  const honest = await healthAmong({ authorization: `Bearer ${"a".repeat(length)}` });
  const among = await healthAmong(headers);
  // Under work that grows with the square of the length it had no answer at all.
  expect(among / honest).toBeLessThan(20);
});
