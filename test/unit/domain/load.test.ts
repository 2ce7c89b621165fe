import { describe, expect, it } from "vitest";
import { countedOn, lastFor, loadAfter, longestQuietMinutes, noLoad } from "../../../shared/domain/load.ts";
import { stampRecord } from "../../../shared/domain/stamp.ts";
import { utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { aBundle, aStamp } from "./support/records.ts";

const day = utcDaySchema.parse("20261123");
const proactive = (faultId: string, createdOn: string) =>
  aBundle({ mode: "proactive", trigger: { faultId, raisedOn: createdOn }, createdOn });
const moved = (from: string, to: string) => ({ from: aBundle({ state: from }), to: aBundle({ state: to }) });

describe("the load of a stamp", () => {
  it("grows with each bundle that is created, by its bytes", () => {
    const two = loadAfter(loadAfter(noLoad, { insert: [aBundle()] }), { insert: [aBundle({ sizeBytes: 4 })] });
    expect(two).toMatchObject({ openUploads: 2, day, bundles: 2, bytes: 4100 });
    expect(countedOn(two, day)).toEqual({ bundles: 2, bytes: 4100 });
    expect(countedOn(two, utcDaySchema.parse("20261124"))).toEqual({ bundles: 0, bytes: 0 });
  });

  it("begins each day anew, and keeps what is open", () => {
    const first = loadAfter(noLoad, { insert: [aBundle()] });
    expect(loadAfter(first, { insert: [aBundle({ createdOn: "2026-11-24T00:00:00.000Z" })] })).toMatchObject({
      openUploads: 2,
      day: "20261124",
      bundles: 1,
      bytes: 4096,
    });
  });

  it.each(["submitted", "canceled", "expired"])("loses an upload that is %s, and no day's count", (state) => {
    const one = loadAfter(noLoad, { insert: [aBundle()] });
    expect(loadAfter(one, { update: [moved("created", state)] })).toEqual({ ...one, openUploads: 0 });
  });

  it("is not touched by what happens to a bundle later, nor below nothing by one that was never counted", () => {
    const one = loadAfter(noLoad, { insert: [aBundle()] });
    expect(loadAfter(one, { update: [moved("submitted", "accepted"), moved("created", "created")] })).toBe(one);
    expect(loadAfter(noLoad, { update: [moved("created", "canceled")] }).openUploads).toBe(0);
  });

  it("remembers when each fault was last sent for, by a digest, and forgets it after the longest quiet time", () => {
    const one = loadAfter(noLoad, { insert: [proactive("a fault", "2026-11-23T10:00:00.000Z")] });
    const two = loadAfter(one, { insert: [proactive("another", "2026-11-23T11:00:00.000Z")] });
    const again = loadAfter(two, { insert: [proactive("a fault", "2026-11-23T12:00:00.000Z")] });
    expect(lastFor(again, "a fault")).toBe("2026-11-23T12:00:00.000Z");
    expect(again.faults).toHaveLength(2);
    expect(JSON.stringify(again)).not.toContain("a fault");
    const later = new Date(Date.parse("2026-11-23T11:00:00.000Z") + longestQuietMinutes * 60_000).toISOString();
    expect(loadAfter(again, { insert: [proactive("a third", later)] }).faults).toHaveLength(2);
  });

  it("stays small however many faults there are", () => {
    let load = noLoad;
    for (let n = 0; n < 300; n += 1)
      load = loadAfter(load, { insert: [proactive(`fault ${n}`, "2026-11-23T10:00:00.000Z")] });
    expect(load.faults).toHaveLength(100);
    expect(lastFor(load, "fault 299")).toBeDefined();
  });

  it("is nothing for a stamp that was stored before loads were counted", () => {
    const { load: _load, ...before } = aStamp();
    expect(stampRecord.parse(before).load).toEqual(noLoad);
  });
});
