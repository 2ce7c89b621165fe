import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { counted } from "../../support/ledger.ts";
import { newCaseNumber } from "../../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { bundlePage } from "../../support/system/shapes.ts";
import { makeKey } from "../../support/system/signing.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { putBlob } from "../../support/system/storage.ts";
import { readAll } from "../../support/system/world.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted } from "./support/bundles.ts";
import { faults as kinds } from "./support/faults.ts";
import { expectNoOrphans, expectToOutlive } from "./support/outages.ts";
import { type Stage, useStages } from "./support/stage.ts";

/**
 * A storage outage at every call of every operation, before the call and after it: 503 with `Retry-After` or success, and the
 * repetition of the request succeeds with every event there exactly once (invariants 1, 2 and 7).
 */

const stageOf = useStages();

const slow = 600_000;
const operator = { decidedBy: "operator@contoso.example" };

/** Where the same reads are failed by a sibling's test already. */
const isWrite = ({ method }: { method: string }): boolean => method !== "GET" && method !== "HEAD";

const inNewTest = (name: string, run: (stage: Stage) => Promise<void>) =>
  test(`[invariant 1] [invariant 7] an outage at each call of ${name}`, { timeout: slow }, async () => {
    const stage = stageOf();
    await run(stage);
    await expectNoOrphans(stage);
  });

test("[invariant 1] an outage at each call of the first request ever", { timeout: slow }, async () => {
  const { faults } = stageOf();
  const { calls } = await faults.watching(() => stampActor(stageOf()).register());
  for (let n = 1; n <= calls.length; n += 1) {
    for (const fault of kinds) {
      const stage = stageOf();
      const stamp = stampActor(stage);
      const failed = await stage.faults.during(fault, n, () => stamp.register());
      if (failed.status !== 201) expectRefusal(failed, 503, "ServiceUnavailable");
      expect([200, 201]).toContain((await stamp.register()).status);
      expect(counted(await stage.events(stamp.partition))).toEqual({ "stamp.registered": 1 });
    }
  }
});

inNewTest("a registration", async (stage) => {
  await expectToOutlive(stage, async () => {
    const stamp = stampActor(stage);
    return { act: () => stamp.register(), writes: { [stamp.partition]: { "stamp.registered": 1 } } };
  });
});

inNewTest("a registration that ends the consent", async (stage) => {
  await expectToOutlive(
    stage,
    async () => {
      const stamp = await stage.registeredStamp();
      await stamp.enableConsent();
      await stamp.createBundle({ mode: "proactive", trigger: { faultId: "Urp.UpdateFailure", raisedOn: stage.on() } });
      const another = makeKey();
      const keys = [stamp.key, another].map(({ keyId, jwk }) => ({ keyId, jwk }));
      return {
        act: () => stamp.register({ keys }),
        writes: { [stamp.partition]: { "stamp.updated": 1, "bundle.canceled": 1, "bundle.purged": 1 } },
        heal: () => sweep(stage),
      };
    },
    isWrite,
  );
});

inNewTest("a key's rotation", async (stage) => {
  await expectToOutlive(stage, async () => {
    const stamp = await stage.registeredStamp();
    const { keyId, jwk, privateKey } = makeKey("EC");
    const proof = await new SignJWT({ stampId: stamp.stampId, keyId })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);
    return {
      act: () => stamp.call("POST", `${stamp.path}:rotateKey`, { keyId, jwk, proof }),
      writes: { [stamp.partition]: { "stamp.keyRotated": 1 } },
    };
  });
});

inNewTest("disabling a stamp with open uploads", async (stage) => {
  await expectToOutlive(stage, async () => {
    const stamp = await stage.registeredStamp();
    const bundles = [await stamp.createBundle(), await stamp.createBundle()];
    const registrar = await stage.person("R");
    return {
      act: () => registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }),
      writes: {
        [stamp.partition]: { "stamp.disabled": 1, "bundle.canceled": bundles.length, "bundle.purged": bundles.length },
      },
      heal: () => sweep(stage),
    };
  });
});

inNewTest("enabling a stamp", async (stage) => {
  await expectToOutlive(stage, async () => {
    const stamp = await stage.registeredStamp();
    const registrar = await stage.person("R");
    expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
    return {
      act: () => registrar.call("POST", `${stamp.path}:enable`),
      writes: { [stamp.partition]: { "stamp.enabled": 1 } },
    };
  });
});

inNewTest("a decision on consent", async (stage) => {
  const termsVersion = await stage.currentTerms();
  await expectToOutlive(stage, async () => {
    const stamp = await stage.registeredStamp();
    const decision = { state: "enabled", decidedBy: `operator ${randomUUID()}`, termsVersion };
    return {
      act: () => stamp.call("PUT", `${stamp.path}/consents/proactiveCollection`, decision),
      writes: { [stamp.partition]: { "consent.decided": 1 } },
    };
  });
});

inNewTest("revoking consent", async (stage) => {
  const termsVersion = await stage.currentTerms();
  await expectToOutlive(
    stage,
    async () => {
      const stamp = await stage.registeredStamp();
      await stamp.enableConsent();
      await stamp.createBundle({ mode: "proactive", trigger: { faultId: "Urp.UpdateFailure", raisedOn: stage.on() } });
      const decision = { state: "disabled", ...operator, termsVersion };
      return {
        act: () => stamp.call("PUT", `${stamp.path}/consents/proactiveCollection`, decision),
        writes: { [stamp.partition]: { "consent.decided": 1, "bundle.canceled": 1, "bundle.purged": 1 } },
        heal: () => sweep(stage),
      };
    },
    isWrite,
  );
});

inNewTest("a create", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const bundleId = randomUUID();
    const bytes = await makeZip();
    const body = await stamp.bundleRequest({ sizeBytes: bytes.byteLength });
    return {
      act: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      writes: { [stamp.partition]: { "bundle.created": 1 } },
      holds: async () => {
        const { upload } = await stamp.bundle(bundleId);
        if (upload === undefined) throw new Error("No upload");
        expectStatus(await putBlob(upload, bytes), 201);
      },
    };
  });
});

inNewTest("a create that claims a case", async (stage) => {
  const stamp = await stage.registeredStamp();
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  await expectToOutlive(stage, async () => {
    const bundleId = randomUUID();
    const body = await stamp.bundleRequest({ caseNumber: supportCase.caseNumber });
    return {
      act: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      writes: {},
      holds: async () => {
        const events = await stage.events(stamp.partition);
        const created = events.filter((event) => event.type === "bundle.created" && event.data.bundleId === bundleId);
        expect(created).toHaveLength(1);
      },
    };
  });
});

inNewTest("a submit", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const bytes = await makeZip();
    const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    await stamp.upload(bundle, bytes);
    return {
      act: () => stamp.submit(bundle.bundleId, bytes),
      writes: { [stamp.partition]: { "bundle.submitted": 1 } },
      holds: async () => expect((await stamp.bundle(bundle.bundleId)).state).toBe("submitted"),
    };
  });
});

inNewTest("a verification that accepts", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const { bundle } = await stamp.submittedBundle();
    return {
      act: async () => void (await stage.verify(bundle)),
      writes: { [stamp.partition]: { "bundle.accepted": 1 } },
      holds: async () => expect((await stamp.bundle(bundle.bundleId)).state).toBe("accepted"),
    };
  });
});

inNewTest("a verification that rejects", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const { bundle } = await stamp.submittedBundle({}, Buffer.from("this is no zip"));
    return {
      act: async () => void (await stage.verify(bundle)),
      writes: { [stamp.partition]: { "bundle.rejected": 1, "bundle.purged": 1 } },
      holds: async () => expect((await stamp.bundle(bundle.bundleId)).rejection?.code).toBe("NotAZip"),
    };
  });
});

inNewTest("a cancel", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const bundle = await stamp.createBundle();
    return {
      act: () => stamp.call("POST", `${stamp.bundlePath(bundle.bundleId)}:cancel`),
      writes: { [stamp.partition]: { "bundle.canceled": 1, "bundle.purged": 1 } },
    };
  });
});

inNewTest("an erasure with its delay", async (stage) => {
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const { bundleId } = await accepted(stage, stamp);
    return {
      act: () => stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, { ...operator, reason: "Wrong window" }),
      writes: { [stamp.partition]: { "bundle.erasureRequested": 1 } },
    };
  });
  const later = stage.another({ offsetDays: 2 });
  await later.runTimer("purgeDue");
  for (const bundle of await allBundles(stamp)) expect(bundle.state).toBe("purged");
});

inNewTest("an erasure without delay", async (plain) => {
  const stage = plain.another({ settings: { ERASE_DELAY_HOURS: "0" } });
  const stamp = await stage.registeredStamp();
  await expectToOutlive(stage, async () => {
    const { bundleId } = await accepted(stage, stamp);
    return {
      act: () => stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, { ...operator, reason: "Wrong window" }),
      writes: {
        [stamp.partition]: { "bundle.erasureRequested": 1, "bundle.purgeIntended": 1, "bundle.purged": 1 },
      },
      holds: async () => expect((await stamp.bundle(bundleId)).state).toBe("purged"),
    };
  });
});

inNewTest("taking an erasure back", async (stage) => {
  const stamp = await stage.registeredStamp();
  const said = { ...operator, reason: "Wrong window" };
  await expectToOutlive(stage, async () => {
    const { bundleId } = await accepted(stage, stamp);
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, said), 202);
    return {
      act: () => stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancelErase`, said),
      doneAlready: "InvalidState",
      writes: { [stamp.partition]: { "bundle.erasureCanceled": 1 } },
    };
  });
  await stage.another({ offsetDays: 2 }).runTimer("purgeDue");
  for (const bundle of await allBundles(stamp)) expect(bundle.state).toBe("accepted");
});

inNewTest("a new case", async (stage) => {
  const { stampId } = await stage.registeredStamp();
  const system = await stage.person("C");
  await expectToOutlive(stage, async () => {
    const caseNumber = newCaseNumber();
    const assignees = [randomUUID(), randomUUID()];
    const body = { revision: 1, kind: "support", state: "open", stampIds: [stampId], assignees, title: "Update fails" };
    return {
      act: () => system.call("PUT", `/cases/${caseNumber}`, body),
      writes: { [`cases/${caseNumber}`]: { "case.updated": 1 } },
    };
  });
});

inNewTest("closing a case with grants", async (stage) => {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const system = await stage.person("C");
  await expectToOutlive(stage, async () => {
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const grants = [await supportCase.grant([bundle]), await supportCase.grant([bundle])];
    const { stampIds, assignees, kind } = await supportCase.view();
    const body = { revision: 9, kind, state: "closed", stampIds, assignees };
    return {
      act: () => system.call("PUT", supportCase.path, body),
      writes: { [supportCase.partition]: { "case.closed": 1, "grant.ended": grants.length } },
      heal: async () => {
        for (const { grantId } of grants) {
          expectRefusal(await supportCase.issueUrl(grantId, bundle), 403, "GrantNotActive");
        }
        await sweep(stage);
      },
    };
  });
});

inNewTest("a link", async (stage) => {
  const stamp = await stage.registeredStamp();
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  await expectToOutlive(stage, async () => {
    const bundle = await stamp.createBundle();
    return {
      act: () => supportCase.link(bundle),
      writes: { [supportCase.partition]: { "bundle.linked": 1 }, [stamp.partition]: { "bundle.caseAdded": 1 } },
    };
  });
});

inNewTest("an unlinking", async (stage) => {
  const stamp = await stage.registeredStamp();
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  await expectToOutlive(stage, async () => {
    const bundle = await stamp.createBundle();
    expectStatus(await supportCase.link(bundle), 201);
    return {
      act: () => supportCase.unlink(bundle),
      writes: { [supportCase.partition]: { "bundle.unlinked": 1 }, [stamp.partition]: { "bundle.caseRemoved": 1 } },
    };
  });
});

inNewTest("a grant", async (stage) => {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  await expectToOutlive(stage, async () => {
    const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
    return {
      act: () => supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle])),
      writes: { [supportCase.partition]: { "grant.activated": 1 } },
    };
  });
});

inNewTest("issuing a URL", async (stage) => {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  await expectToOutlive(stage, async () => {
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const { grantId } = await supportCase.grant([bundle]);
    return {
      act: () => supportCase.issueUrl(grantId, bundle),
      writes: {},
      holds: async () => {
        const issued = (await stage.events(supportCase.partition)).filter(({ type }) => type === "url.issued");
        const accessed = (await stage.events(stamp.partition)).filter(
          ({ type, data }) => type === "bundle.accessed" && data.grantId === grantId,
        );
        // Two requests were made: each may have issued, and none without its access.
        expect(issued.length).toBeGreaterThanOrEqual(1);
        expect(issued.length).toBeLessThanOrEqual(2);
        expect(accessed.length).toBeGreaterThanOrEqual(issued.length);
        expect(accessed.length).toBeLessThanOrEqual(2);
      },
    };
  });
});

inNewTest("revoking a grant", async (stage) => {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  await expectToOutlive(stage, async () => {
    const { grantId } = await supportCase.grant([bundle]);
    return {
      act: () => supportCase.engineer.call("POST", `${supportCase.path}/accessGrants/${grantId}:revoke`),
      writes: { [supportCase.partition]: { "grant.ended": 1 } },
    };
  });
});

inNewTest("a sweep that expires an upload", async (stage) => {
  const later = stage.another({ offsetDays: 2.1 });
  const stamp = await stage.registeredStamp();
  const prepare = async () => {
    const { bundleId } = await stamp.createBundle();
    return {
      act: async () => void (await later.runTimer("sweepUnfinished")),
      writes: { [stamp.partition]: { "bundle.expired": 1, "bundle.purged": 1 } },
      holds: async () => expect((await stamp.bundle(bundleId)).state).toBe("expired"),
    };
  };
  await expectToOutlive(later, prepare, isWrite);
});

test("[invariant 3] an outage at each write of a day's purge", { timeout: slow }, async () => {
  const plain = stageOf();
  const rehearsal = await readyToPurge(plain);
  const { calls } = await rehearsal.later.faults.watching(() => rehearsal.later.runTimer("purgeDue"));
  const writes = calls.flatMap((call, index) => (isWrite(call) ? [index + 1] : []));
  expect(writes.length).toBeGreaterThan(5);
  for (const n of writes) {
    for (const fault of ["refused", "sentTwice", "answerLostAndOutage"] as const) {
      const { stage, later, stamp, bundles } = await readyToPurge(stageOf());
      await later.faults.during(fault, n, () => later.runTimer("purgeDue")).catch(() => undefined);
      await later.runTimer("purgeDue");
      const place = `${calls[n - 1]?.method} ${calls[n - 1]?.path}, ${fault}`;
      for (const { bundleId } of bundles) {
        const purged = await stamp.bundle(bundleId);
        expect(purged.purge, place).toMatchObject({ basis: "age", deletedOn: expect.any(String) });
        expect(purged.state, place).toBe("purged");
      }
      const events = await stage.events();
      const count = (type: string) => events.filter((event) => event.type === type).length;
      expect([count("container.purgeIntended"), count("container.purged"), count("bundle.purged")], place).toEqual([
        1,
        1,
        bundles.length,
      ]);
      expect((await dayContainers(stage)).length, place).toBe(0);
    }
  }
});

async function readyToPurge(stage: Stage) {
  const stamp = await stage.registeredStamp();
  const bundles = [await accepted(stage, stamp), await accepted(stage, stamp)];
  return { stage, later: stage.another({ offsetDays: 81 }), stamp, bundles };
}

async function dayContainers({ blobs }: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of blobs.listContainers({ prefix: "bundles-" })) names.push(name);
  return names;
}

const allBundles = async (stamp: StampActor) =>
  bundlePage.parse({ value: await readAll(stamp.call, `${stamp.path}/bundles`) }).value;

/** The sweeper's round a few hours later, when it has looked at everything once. */
const sweep = (stage: Stage) => stage.another({ offsetDays: 0.1 }).runTimer("sweepUnfinished");
