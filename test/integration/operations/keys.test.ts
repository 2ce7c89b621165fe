import { expect, test } from "vitest";
import { bundleId, stampId, utcTime } from "../../../shared/api/primitives.ts";
import { publicJwk } from "../../../shared/api/publicJwk.ts";
import { asStamp } from "../../../shared/domain/sender.ts";
import { isRetired } from "../../../shared/domain/stamp.ts";
import { cancelBundle } from "../../../shared/operations/bundles/cancelBundle.ts";
import { rotateKey } from "../../../shared/operations/stamps/rotateKey.ts";

import { expectStatus } from "../../support/system/expectations.ts";
import { makeKey } from "../../support/system/signing.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** A key that registration leaves out stops at once, also for a request that was authenticated a moment before (invariant 8). */

const stageOf = useStages();

/** A request that authenticated with the first key, and whose registration then left that key out. */
async function overtaken(stage: Stage) {
  const stamp = await stage.registeredStamp();
  const created = await stamp.createBundle();
  const id = stampId.parse(stamp.stampId);
  const head = await stage.app.world.stamps.head(id);
  const other = makeKey();
  expectStatus(await stamp.register({ keys: [{ keyId: other.keyId, jwk: other.jwk }] }), 200);
  return {
    caller: { kind: "stamp", stampId: id, keyId: stamp.key.keyId, clientVersion: undefined, head } as const,
    created,
  };
}

test("[invariant 8] a key that registration left out meanwhile brings in no other", async () => {
  const stage = stageOf();
  const { caller } = await overtaken(stage);
  const wanted = makeKey();
  const said = { keyId: wanted.keyId, jwk: publicJwk.parse(wanted.jwk), proof: "verified at the edge" };
  await expect(rotateKey(stage.app.world, caller, said)).rejects.toMatchObject({ code: "KeyRetired" });
  const { state } = await stage.app.world.stamps.head(caller.stampId);
  expect(asStamp(state)?.keys.map(({ keyId }) => keyId)).not.toContain(wanted.keyId);
});

test("[invariant 8] a key that registration left out meanwhile changes nothing else either", async () => {
  const stage = stageOf();
  const { caller, created } = await overtaken(stage);
  const cancel = cancelBundle(stage.app.world, caller, bundleId.parse(created.bundleId));
  await expect(cancel).rejects.toMatchObject({ code: "KeyRetired" });
});

test("what registration left out has stopped on every instance, whatever its clock says", () => {
  const key = { keyId: "k1", jwk: publicJwk.parse(makeKey().jwk), addedBy: "registration" } as const;
  const [on, slowClock] = ["2026-11-22T12:00:01Z", new Date("2026-11-22T12:00:00Z")];
  const leftOut = { ...key, retiredOn: utcTime.parse(on), retiredBy: "registration" } as const;
  const rotated = { ...key, retiredOn: utcTime.parse(on), retiredBy: "rotation" } as const;
  expect(isRetired(leftOut, slowClock)).toBe(true);
  expect(isRetired(rotated, slowClock)).toBe(false);
});
