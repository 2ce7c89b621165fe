import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { publishedKeys, verifiedPaper } from "../support/system/papers.ts";
import { type Consent, consentPage, consentShape, termsShape } from "../support/system/shapes.ts";
import { makeKey } from "../support/system/signing.ts";
import { resourceId, type StampActor } from "../support/system/stamp.ts";
import { putBlob } from "../support/system/storage.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type Person, readAll, type World } from "../support/system/world.ts";

/** API.md, the row of `consents`, the terms and the receipts. */

let world: World;
let auditor: Person;
beforeAll(async () => {
  world = await openWorld();
  auditor = await world.person("A");
});
afterAll(() => world.close());

const consentPath = (stamp: StampActor) => `${stamp.path}/consents/proactiveCollection`;
const standing = async (stamp: StampActor, by: Pick<Person, "call"> = stamp): Promise<Consent> =>
  consentShape.parse(expectStatus(await by.call("GET", consentPath(stamp)), 200).json);
const decisions = async (stamp: StampActor, by: Pick<Person, "call"> = stamp): Promise<Consent[]> =>
  consentPage.parse({ value: await readAll(by.call, `${consentPath(stamp)}/decisions`) }).value;
const decide = (stamp: StampActor, body: unknown) => stamp.call("PUT", consentPath(stamp), body);
const decision = async (changes: Readonly<Record<string, unknown>> = {}) => ({
  state: "enabled",
  decidedBy: "operator@contoso.example",
  termsVersion: await world.currentTerms(),
  ...changes,
});

describe("consent", () => {
  it("is not given at first", async () => {
    const stamp = await world.registeredStamp();
    for (const by of [stamp, auditor]) expect((await standing(stamp, by)).state).toBe("notGiven");
    expect(await decisions(stamp)).toEqual([]);
  });

  it("is given, taken and given again, and every decision stays in the history, newest first", async () => {
    const stamp = await world.registeredStamp();
    const first = await stamp.enableConsent();
    const second = await stamp.disableConsent();
    const third = await stamp.enableConsent();
    expect([first, second, third].map(({ state }) => state)).toEqual(["enabled", "disabled", "enabled"]);
    for (const by of [stamp, auditor]) {
      expect(await standing(stamp, by)).toEqual(third);
      expect(await decisions(stamp, by)).toEqual([third, second, first]);
    }
    expect((await world.events(stamp.partition)).map(({ type }) => type)).toEqual([
      "stamp.registered",
      "consent.decided",
      "consent.decided",
      "consent.decided",
    ]);
  });

  it("has the decision's facts", async () => {
    const stamp = await world.registeredStamp();
    const consent = await stamp.enableConsent({ decidedBy: "Ada", purposes: ["troubleshooting"] });
    expect(consent).toMatchObject({
      state: "enabled",
      decidedBy: "Ada",
      purposes: ["troubleshooting"],
      termsVersion: await world.currentTerms(),
      registrationGeneration: 1,
    });
    expect(Math.abs(Date.parse(consent.decidedOn ?? "") - world.now().getTime())).toBeLessThan(60_000);
  });

  it("is for both purposes where none is named", async () => {
    const stamp = await world.registeredStamp();
    expect((await stamp.enableConsent()).purposes?.toSorted()).toEqual(["productHealth", "troubleshooting"]);
  });

  it("decided again as it stands is no new decision", async () => {
    const stamp = await world.registeredStamp();
    const first = await stamp.enableConsent({ purposes: ["troubleshooting", "productHealth"] });
    for (const changes of [{}, { purposes: ["productHealth", "troubleshooting"] }]) {
      const body = await decision(changes);
      const again = await unchanged(world, stamp, () => decide(stamp, body));
      expect(consentShape.parse(expectStatus(again, 200).json)).toEqual(first);
    }
  });

  it.each([{ decidedBy: "somebody else" }, { purposes: ["productHealth"] }])(
    "decided again with %j is a new decision",
    async (changes) => {
      const stamp = await world.registeredStamp();
      const first = await stamp.enableConsent();
      const second = await stamp.enableConsent(changes);
      expect(second.decisionId).not.toBe(first.decisionId);
      expect(await decisions(stamp)).toHaveLength(2);
    },
  );

  it("may be refused without having been given", async () => {
    const stamp = await world.registeredStamp();
    expect((await stamp.disableConsent()).state).toBe("disabled");
  });

  it.each([
    ["a new registration", () => ({ registrationResourceId: resourceId() })],
    ["a new key", () => ({ keys: [makeKey(), makeKey()].map(({ keyId, jwk }) => ({ keyId, jwk })) })],
  ])("ends with %s, and its history stays", async (_what, changes) => {
    const stamp = await world.registeredStamp();
    const first = await stamp.enableConsent();
    expectStatus(await stamp.register(changes()), 200);
    expect((await standing(stamp, auditor)).state).toBe("notGiven");
    expect(await decisions(stamp, auditor)).toEqual([first]);
  });

  it("leaves no name in the ledger", async () => {
    const stamp = await world.registeredStamp();
    const decidedBy = `Ada ${randomUUID()}`;
    await stamp.enableConsent({ decidedBy });
    await stamp.createBundle({
      consent: { decidedBy, decidedOn: world.on(), termsVersion: await world.currentTerms() },
    });
    expect(JSON.stringify(await world.events(stamp.partition))).not.toContain(decidedBy);
  });
});

describe("a decision is refused, and nothing changes:", () => {
  const bad: readonly [what: string, changes: Readonly<Record<string, unknown>>, target: string][] = [
    ["an unknown state", { state: "notGiven" }, "/state"],
    ["no operator", { decidedBy: undefined }, "/decidedBy"],
    ["an empty operator", { decidedBy: "" }, "/decidedBy"],
    ["no purposes left", { purposes: [] }, "/purposes"],
    ["an unknown purpose", { purposes: ["marketing"] }, "/purposes/0"],
    ["terms that are not current", { termsVersion: "2020-01-01" }, "/termsVersion"],
    ["no terms", { termsVersion: undefined }, "/termsVersion"],
    ["a date of its own", { decidedOn: "2026-11-01T00:00:00Z" }, "/decidedOn"],
  ];
  it.each(bad)("%s", async (_what, changes, target) => {
    const stamp = await world.registeredStamp();
    const body = await decision(changes);
    const answer = await unchanged(world, stamp, () => decide(stamp, body));
    expect(expectRefusal(answer, 400, "InvalidBody").target).toBe(target);
  });

  it("another kind of consent", async () => {
    const stamp = await world.registeredStamp();
    const body = await decision();
    expectRefusal(await stamp.call("PUT", `${stamp.path}/consents/marketing`, body), 404, "NotFound");
  });
});

describe("taking consent back", () => {
  it("cancels proactive uploads that are not submitted, and touches nothing else", async () => {
    const stamp = await world.registeredStamp();
    await stamp.enableConsent();
    const accepted = await stamp.acceptedBundle({ mode: "proactive" });
    const open = await stamp.createBundle({ mode: "proactive" });
    const sentNow = await stamp.createBundle();
    const submitted = await stamp.submittedBundle({ mode: "proactive" });
    await stamp.disableConsent();

    const canceled = await stamp.bundle(open.bundleId);
    expect(canceled).toMatchObject({ state: "canceled", purge: { basis: "canceled" } });
    expect(canceled).not.toHaveProperty("upload");
    if (open.upload === undefined) throw new Error("no upload");
    expect((await putBlob(open.upload, Buffer.from("late"))).status).toBeGreaterThanOrEqual(400);
    expectRefusal(await stamp.submit(open.bundleId, Buffer.alloc(4096)), 409, "InvalidState");

    expect((await stamp.bundle(sentNow.bundleId)).state).toBe("created");
    expect((await stamp.bundle(accepted.bundleId)).state).toBe("accepted");
    expect((await stamp.waitFor(submitted.bundleId, "accepted")).consentDecision.basis).toBe("proactive");
  });

  it("and giving it again revives no upload", async () => {
    const stamp = await world.registeredStamp();
    await stamp.enableConsent();
    const { bundleId } = await stamp.createBundle({ mode: "proactive" });
    await stamp.disableConsent();
    await stamp.enableConsent();
    expect((await stamp.bundle(bundleId)).state).toBe("canceled");
  });
});

describe("a receipt", () => {
  it("verifies with the published keys, and says what was decided and where the ledger has it", async () => {
    const stamp = await world.registeredStamp();
    const { receipt = "", ...consent } = await stamp.enableConsent({ decidedBy: "Ada" });
    const claims = await verifiedPaper(world, receipt, "consent-receipt+jwt");
    expect(claims).toMatchObject({
      sub: stamp.stampId,
      decision: "enabled",
      decidedBy: "Ada",
      decidedOn: consent.decidedOn,
      purposes: consent.purposes,
      termsVersion: consent.termsVersion,
      termsSha256: consent.termsSha256,
      registrationGeneration: 1,
    });
    const event = (await world.events(stamp.partition)).find(({ type }) => type === "consent.decided");
    expect(claims.ledger).toMatchObject({ partition: event?.partition, seq: event?.seq, hash: event?.hash });
    expect(event?.data).toMatchObject({ decisionId: consent.decisionId });
  });

  it("is given for every decision, each with an id of its own, and stays as it was", async () => {
    const stamp = await world.registeredStamp();
    const given = [await stamp.enableConsent(), await stamp.disableConsent()];
    const papers = await Promise.all(
      given.map(({ receipt = "" }) => verifiedPaper(world, receipt, "consent-receipt+jwt")),
    );
    expect(papers.map(({ decision: what }) => what)).toEqual(["enabled", "disabled"]);
    expect(new Set(papers.map(({ jti }) => jti)).size).toBe(2);
    expect((await decisions(stamp)).map(({ receipt }) => receipt)).toEqual(
      given.map(({ receipt }) => receipt).toReversed(),
    );
  });

  it("altered by a byte does not verify", async () => {
    const stamp = await world.registeredStamp();
    const { receipt = "" } = await stamp.enableConsent();
    const [header = "", payload = "", signature = ""] = receipt.split(".");
    const claims = Buffer.from(payload, "base64url").toString().replace('"enabled"', '"disabled"');
    const altered = [header, Buffer.from(claims).toString("base64url"), signature].join(".");
    await expect(verifiedPaper(world, altered, "consent-receipt+jwt")).rejects.toThrow(/signature/i);
  });

  it("is verified by public keys alone", async () => {
    const { keys } = await publishedKeys(world);
    for (const key of keys) expect(key).toMatchObject({ kty: "EC", crv: "P-256" });
  });
});

describe("the terms", () => {
  const list = async () => termsShape.parse((await world.send({ method: "GET", path: "/terms" })).json).value;

  it("are listed, one version of them current", async () => {
    expect((await list()).filter(({ current }) => current)).toHaveLength(1);
  });

  it("have the hash of the bytes that are served, which a consent names too", async () => {
    for (const { version, sha256, current } of await list()) {
      const { status, headers, body } = await world.send({ method: "GET", path: `/terms/${version}` });
      expect(status).toBe(200);
      expect(headers["content-type"]).toMatch(/^text\/plain/);
      expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
      const stamp = await world.registeredStamp();
      if (current) expect((await stamp.enableConsent()).termsSha256).toBe(sha256);
    }
  });

  it("say what Microsoft's page says of the data", async () => {
    const { text } = await world.send({ method: "GET", path: `/terms/${await world.currentTerms()}` });
    const words = text.replaceAll(/\s+/g, " ");
    for (const quoted of [
      "You agree to periodic automatic log collections by Microsoft based only on Azure Stack Hub system health alerts.",
      "won't be used for marketing, advertising, or any other commercial purposes without your consent",
      "The data can be retained for up to 90 days",
      "Any data previously collected with your consent won't be affected by the revocation of your permission.",
      "in the context of a support case and to improve the health of Azure Stack Hub",
    ]) {
      expect(words).toContain(quoted);
    }
  });

  it("of an unknown version are a 404", async () => {
    expectRefusal(await world.send({ method: "GET", path: "/terms/1999-01-01" }), 404, "NotFound");
  });
});
