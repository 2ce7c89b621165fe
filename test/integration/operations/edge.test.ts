import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { expectRefusal } from "../../support/system/expectations.ts";
import { makeKey } from "../../support/system/signing.ts";
import { withVersion } from "../../support/system/world.ts";
import { useStages } from "./support/stage.ts";

/** What the edge tells, and to whom. */

const stageOf = useStages();

test("[invariant 9] a body that is no JSON leaves nothing of itself in the log", async () => {
  const stage = stageOf();
  const { token } = await stage.person("R");
  const answer = await stage.send({
    method: "PUT",
    path: withVersion(`/stamps/${randomUUID()}`),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"displayName": Jane Doe}',
  });
  expectRefusal(answer, 400, "InvalidBody");
  expect(stage.logged.join("\n")).toContain("InvalidBody");
  expect(stage.logged.join("\n")).not.toContain("Jane");
});

test("an outage is logged as an error with its cause, a refusal as what it is", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  stage.faults.failWhere(({ url }) => new URL(url).pathname.includes("/stamps("));
  expectRefusal(await stamp.call("GET", stamp.path), 503, "ServiceUnavailable");
  stage.faults.failWhere(undefined);
  expectRefusal(await stamp.call("GET", stamp.bundlePath(randomUUID())), 404, "NotFound");
  const said = stage.logged.map((line): { event: string; code: string } => JSON.parse(line));
  const lines = said.filter(({ event }) => event !== "request.done");
  expect(lines).toMatchObject([
    { event: "request.failed", code: "ServiceUnavailable", message: expect.stringContaining("out of reach") },
    { event: "request.refused", code: "NotFound" },
  ]);
});

test("a query parameter of lists is refused by name where there is no list, and a stamp is told so under its signature", async () => {
  const stamp = await stageOf().registeredStamp();
  const skipping = { query: { skipToken: "!" } };
  for (const path of [stamp.path, `${stamp.path}/bundles`]) {
    const refused = expectRefusal(await stamp.call("GET", path, undefined, skipping), 400, "InvalidParameter");
    expect(refused.target).toBe("skipToken");
  }
});

test("whoever registers a private key is told that it has been shown", async () => {
  const stamp = await stageOf().registeredStamp();
  const key = makeKey();
  const jwk = { ...key.jwk, d: key.jwk.x };
  const answer = await stamp.register({ keys: [{ keyId: key.keyId, jwk }] });
  const { message, target } = expectRefusal(answer, 400, "InvalidBody");
  expect(target).toBe("/keys/0/jwk/d");
  expect(message).toContain("make a new key");
  const unknown = await stamp.register({ nickname: "Lab" });
  expect(expectRefusal(unknown, 400, "InvalidBody").message).toContain("Unknown field at /nickname");
});
