import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, expectWholeLedger, ofBundle } from "../support/ledger.ts";
import { present } from "../support/presentUrl.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { type Bundle, bundleShape, certificateShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { blobsHeld, getBlob } from "../support/system/storage.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type World } from "../support/system/world.ts";

/** The operator's wish to have a bundle deleted before its time: at once out of reach, a day to think it over, then gone. */

let world: World;
let stamp: StampActor;
beforeAll(async () => {
  world = await openWorld();
  stamp = await world.registeredStamp();
});
afterAll(() => world.close());

const said = { decidedBy: "operator@contoso.example", reason: "It holds the wrong window" };
const act = (bundleId: string, name: string, body: unknown = said): Promise<Answer> =>
  stamp.call("POST", `${stamp.bundlePath(bundleId)}:${name}`, body);
const erased = async (bundleId: string): Promise<Bundle> =>
  bundleShape.parse(expectStatus(await act(bundleId, "erase"), 202).json);
const held = async (bundleId: string) =>
  (await blobsHeld(world.service.directory)).some((name) => name.includes(bundleId));

describe("an erasure", () => {
  it("is due a day later, is the same when it is asked for again, and ends lending at once", async () => {
    const { bundle, bundleId } = await stamp.acceptedBundle();
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const { grantId } = await supportCase.grant([bundle]);
    expectStatus(await supportCase.issueUrl(grantId, bundle), 200);

    const { erasure, state } = await erased(bundleId);
    expect(state).toBe("accepted");
    const { requestedOn = "", dueOn = "" } = erasure ?? {};
    expect(Date.parse(dueOn) - Date.parse(requestedOn)).toBe(24 * 3_600_000);
    expect((await erased(bundleId)).erasure).toEqual(erasure);
    expect((await stamp.bundle(bundleId)).erasure).toEqual(erasure);
    expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "PurgeDue");
    expectRefusal(await stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`), 409, "NotYetDeleted");
    await world.runTimer("purgeDue");
    expect((await stamp.bundle(bundleId)).state).toBe("accepted");
    expect(await held(bundleId)).toBe(true);
    const events = ofBundle(await world.events(stamp.partition), bundleId);
    expect(counted(events)["bundle.erasureRequested"]).toBe(1);
    expect(JSON.stringify(events)).not.toMatch(/contoso|wrong window/);
  });

  it("says where and when to ask how it stands, until the bytes are gone or it is taken back", async () => {
    const { bundleId } = await stamp.acceptedBundle();
    const path = `${stamp.bundlePath(bundleId)}/erasure`;
    const auditor = await world.person("A");
    expectRefusal(await auditor.call("GET", path), 404, "NotFound");
    const { headers, json } = expectStatus(await act(bundleId, "erase"), 202);
    expect(headers["operation-location"]).toBe(`${world.origin}${path}?api-version=2026-11-01`);
    expect(Number(headers["retry-after"])).toBe(3600);
    const { erasure } = bundleShape.parse(json);
    for (const call of [stamp.call, auditor.call]) {
      const running = expectStatus(await call("GET", path), 200);
      expect(running.json).toEqual({ id: bundleId, status: "Running", ...erasure });
      expect(Number(running.headers["retry-after"])).toBe(3600);
    }
    expectStatus(await act(bundleId, "cancelErase"), 200);
    expectRefusal(await stamp.call("GET", path), 404, "NotFound");
  });

  it("is taken back until then, once", async () => {
    const { bundleId } = await stamp.acceptedBundle();
    await erased(bundleId);
    const kept = bundleShape.parse(expectStatus(await act(bundleId, "cancelErase"), 200).json);
    expect(kept).not.toHaveProperty("erasure");
    expect(kept.state).toBe("accepted");
    await unchanged(world, stamp, async () => expectRefused(await act(bundleId, "cancelErase")));
    expect((await erased(bundleId)).erasure).toBeDefined();
  });

  const expectRefused = (answer: Answer) => {
    expectRefusal(answer, 409, "InvalidState");
    return answer;
  };

  it("is for submitted and accepted bundles; one that is created is canceled instead", async () => {
    const created = await stamp.createBundle();
    const canceled = await stamp.createBundle();
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(canceled.bundleId)}:cancel`), 200);
    const rejected = await stamp.rejectedBundle();
    await unchanged(world, stamp, async () => {
      for (const { bundleId } of [created, canceled, rejected]) {
        const error = expectRefusal(await act(bundleId, "erase"), 409, "InvalidState");
        expect(JSON.stringify(error)).toMatch(/created|canceled|rejected/);
        expectRefusal(await act(bundleId, "cancelErase"), 409, "InvalidState");
      }
      return act(created.bundleId, "cancelErase");
    });
  });

  it("names who and why, and comes from the stamp alone", async () => {
    const { bundleId } = await stamp.acceptedBundle();
    const path = `${stamp.bundlePath(bundleId)}:erase`;
    await unchanged(world, stamp, async () => {
      for (const body of [{ decidedBy: "me" }, { reason: "so" }, { ...said, when: "now" }, { ...said, reason: "" }]) {
        expectRefusal(await act(bundleId, "erase", body), 400, "InvalidBody");
      }
      for (const role of ["R", "C", "E", "A"] as const) {
        expectRefusal(await (await world.person(role)).call("POST", path, said), 403, "RoleMissing");
      }
      return act("00000000-0000-4000-8000-000000000009", "erase");
    });
    expectRefusal(await act("00000000-0000-4000-8000-000000000009", "erase"), 404, "NotFound");
  });
});

describe("a day later", () => {
  it("[invariant 3] it is carried out, with its basis, its event and its certificate; what was kept is kept", async () => {
    const [gone, kept] = [await stamp.acceptedBundle(), await stamp.acceptedBundle()];
    const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(gone.bundle), 201);
    const { grantId } = await supportCase.grant([gone.bundle]);
    const url = await supportCase.url(grantId, gone.bundle);
    await erased(gone.bundleId);
    await erased(kept.bundleId);
    expectStatus(await act(kept.bundleId, "cancelErase"), 200);

    await world.restart({ CLOCK_OFFSET_DAYS: "0.98" });
    await world.runTimer("purgeDue");
    expect((await stamp.bundle(gone.bundleId)).state).toBe("accepted");
    expect((await getBlob(await present(world.service.directory, url))).status).toBe(200);

    await world.restart({ CLOCK_OFFSET_DAYS: "1.01" });
    expectRefusal(await act(gone.bundleId, "cancelErase"), 409, "InvalidState");
    await world.runTimer("purgeDue");
    const purged = await stamp.bundle(gone.bundleId);
    expect(purged).toMatchObject({ state: "purged", purge: { basis: "erasure", deletedOn: expect.any(String) } });
    expect((await getBlob(await present(world.service.directory, url))).status).toBe(404);
    expect(await held(gone.bundleId)).toBe(false);
    expect(await held(kept.bundleId)).toBe(true);
    expect((await stamp.bundle(kept.bundleId)).state).toBe("accepted");
    const types = ofBundle(await world.events(stamp.partition), gone.bundleId).map((event) => event.type);
    expect(types.slice(-3)).toEqual(["bundle.erasureRequested", "bundle.purgeIntended", "bundle.purged"]);
    const paper = await stamp.call("GET", `${stamp.bundlePath(gone.bundleId)}/deletionCertificate`);
    certificateShape.parse(expectStatus(paper, 200).json);
    await world.runTimer("purgeDue");
    expect(counted(ofBundle(await world.events(stamp.partition), gone.bundleId))["bundle.purged"]).toBe(1);
  });
});

describe("without delay (ERASE_DELAY_HOURS=0)", () => {
  it("[invariant 3] the bytes are gone before the answer", async () => {
    await world.restart({ ERASE_DELAY_HOURS: "0" });
    const { bundleId } = await stamp.acceptedBundle();
    expect(await held(bundleId)).toBe(true);
    const answer = await erased(bundleId);
    expect(await held(bundleId)).toBe(false);
    expect(answer).toMatchObject({ state: "purged", purge: { basis: "erasure", deletedOn: expect.any(String) } });
    const asked = expectStatus(await stamp.call("GET", `${stamp.bundlePath(bundleId)}/erasure`), 200);
    expect(asked.json).toMatchObject({ status: "Succeeded" });
    expectRefusal(await act(bundleId, "cancelErase"), 409, "InvalidState");
    expectWholeLedger(await world.events());
  });

  it("[invariant 7] a bundle whose verification may be under way goes too", async () => {
    const left = async (bundleId: string) =>
      (await blobsHeld(world.service.directory)).filter((name) => name.includes(bundleId));
    const bundleIds: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const { bundleId } = await stamp.submittedBundle();
      expect((await erased(bundleId)).state).toBe("purged");
      expect((await left(bundleId)).filter((name) => name.endsWith(bundleId))).toEqual([]);
      bundleIds.push(bundleId);
    }
    // An inventory that was just being kept is deleted by the verification that kept it, which a stop waits for.
    await world.restart({ ERASE_DELAY_HOURS: "0" });
    for (const bundleId of bundleIds) expect(await left(bundleId)).toEqual([]);
  });
});
