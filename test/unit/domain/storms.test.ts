import { describe, expect, it } from "vitest";
import { noLoad } from "../../../shared/domain/load.ts";
import {
  type Limits,
  type Question,
  stormRefusal,
  stormRules,
  tooManyRequests,
} from "../../../shared/domain/storms.ts";
import { utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { at, on } from "./support/records.ts";

/** The rules that keep one stamp, and all together, from sending more than is good; noon of a day, so that midnight is 43,200 seconds away. */

const now = at("2026-11-23T12:00:00.000Z");
const today = utcDaySchema.parse("20261123");
const limits: Limits = {
  openUploads: 10,
  bundlesPerDay: 20,
  bytesPerDay: 1000,
  sameFaultQuietMinutes: 240,
  serviceBytesPerDay: 10_000,
};
const aQuestion = (changes: Partial<Question> = {}): Question => ({
  rank: "caseLinked",
  sizeBytes: 1,
  faultId: undefined,
  load: noLoad,
  serviceBytes: 0,
  limits,
  now,
  ...changes,
});
const ruleFor = (changes: Partial<Question>) => stormRefusal(aQuestion(changes))?.rule ?? "none";
/** The digest of `Urp.UpdateFailure`, as it stands in a head. */
const fault = "5e48086abd3d7c8e";

describe("a calm stamp", () => {
  it.each(["proactive", "sendNow", "caseLinked"] as const)("is refused nothing (%s)", (rank) => {
    expect(ruleFor({ rank, faultId: "Urp.UpdateFailure", sizeBytes: 1000 })).toBe("none");
  });
});

describe("each rank has its share of a limit, and the highest all of it", () => {
  const loads = (used: number) => ({
    openUploads: { load: { ...noLoad, openUploads: used / 10 } },
    bundlesPerDay: { load: { ...noLoad, day: today, bundles: used / 5 } },
    bytesPerDay: { load: { ...noLoad, day: today, bundles: 1, bytes: used * 10 } },
    serviceBudget: { serviceBytes: used * 100 },
  });
  it.each([
    ["proactive", 40, 50],
    ["sendNow", 70, 80],
    ["caseLinked", 90, 100],
  ] as const)("%s goes at %i percent and is refused at %i", (rank, goes, stops) => {
    for (const [rule, calm] of Object.entries(loads(goes)))
      expect([rule, ruleFor({ rank, ...calm })]).toEqual([rule, "none"]);
    for (const [rule, full] of Object.entries(loads(stops))) expect(ruleFor({ rank, ...full })).toBe(rule);
  });

  it("lets everybody send one where the limit is one", () => {
    const one = { ...limits, openUploads: 1, bundlesPerDay: 1 };
    expect(ruleFor({ rank: "proactive", limits: one })).toBe("none");
    expect(ruleFor({ rank: "caseLinked", limits: one, load: { ...noLoad, openUploads: 1 } })).toBe("openUploads");
  });
});

describe("the counts of a day", () => {
  it("end with it, and the refusal says when that is", () => {
    const load = { ...noLoad, day: today, bundles: 20 };
    expect(stormRefusal(aQuestion({ load }))).toMatchObject({ rule: "bundlesPerDay", retryAfterSeconds: 43_200 });
    expect(ruleFor({ load, now: at("2026-11-24T00:00:00.000Z") })).toBe("none");
  });

  it("never refuse the first bundle of a day for its size, or the largest could never be sent", () => {
    expect(ruleFor({ sizeBytes: 5000 })).toBe("none");
    expect(ruleFor({ sizeBytes: 999, load: { ...noLoad, day: today, bundles: 1, bytes: 2 } })).toBe("bytesPerDay");
  });
});

describe("the same fault within its quiet time", () => {
  const load = (text: string) => ({ ...noLoad, faults: [{ fault, on: on(text) }] });
  const about = (changes: Partial<Question>) =>
    ruleFor({ rank: "proactive", faultId: "Urp.UpdateFailure", ...changes });

  it("is refused until the quiet time has passed, to the second", () => {
    const question = aQuestion({
      rank: "proactive",
      faultId: "Urp.UpdateFailure",
      load: load("2026-11-23T08:00:00.500Z"),
    });
    expect(stormRefusal(question)).toMatchObject({ rule: "sameFault", retryAfterSeconds: 1 });
    expect(about({ load: load("2026-11-23T08:00:00.000Z") })).toBe("none");
  });

  it("leaves other faults alone, and what a person or a case asks for", () => {
    const recent = load("2026-11-23T11:59:00.000Z");
    expect(about({ load: recent })).toBe("sameFault");
    expect(about({ load: recent, faultId: "Urp.UpdateWarning" })).toBe("none");
    expect(about({ load: recent, rank: "caseLinked" })).toBe("none");
    expect(about({ load: recent, rank: "sendNow", faultId: undefined })).toBe("none");
  });

  it("has none where it is set to nothing", () => {
    expect(about({ load: load("2026-11-23T12:00:00.000Z"), limits: { ...limits, sameFaultQuietMinutes: 0 } })).toBe(
      "none",
    );
  });
});

describe("a refusal", () => {
  it("is 429 with the rule's name, in words too, and the time to come back", () => {
    const refusal = stormRefusal(aQuestion({ load: { ...noLoad, openUploads: 10 } }));
    if (refusal === undefined) throw new Error("Nothing refused it");
    const error = tooManyRequests(refusal);
    expect(error).toMatchObject({
      code: "TooManyRequests",
      retryAfterSeconds: 300,
      details: [{ code: "openUploads" }],
    });
    expect(error.message).toMatch(
      /^Refused by the rule openUploads\. The stamp has 10 uploads open, and 10 are allowed in all\. Submit or cancel/,
    );
  });

  it("comes from the first rule that says no, and every rule has a name of its own", () => {
    const names = stormRules.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const everything = {
      load: { ...noLoad, openUploads: 99, day: today, bundles: 99, bytes: 9999 },
      serviceBytes: 99_999,
    };
    expect(ruleFor(everything)).toBe("openUploads");
  });
});
