import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chain, chainStart, eventHash, eventTypes, type NewEvent, theService } from "../../../shared/domain/event.ts";
import { on } from "./support/records.ts";

const time = on("2026-11-23T10:00:00.000Z");
const created: NewEvent = { type: "bundle.created", actor: theService, data: { bundleId: "b", sizeBytes: 1 } };
const submitted: NewEvent = { type: "bundle.submitted", actor: { kind: "stamp", id: "s" }, data: { bundleId: "b" } };

describe("the chain of a partition", () => {
  it("begins at seq 1 after 64 zeros", () => {
    const [first] = chain("stamps/s", chainStart, time, [created]);
    expect(first).toMatchObject({ partition: "stamps/s", seq: 1, on: time, prevHash: "0".repeat(64) });
  });

  it("goes on from where it stands, each event naming the hash of the one before it", () => {
    const [first, second] = chain("stamps/s", chainStart, time, [created, submitted]);
    expect(second).toMatchObject({ seq: 2, prevHash: first?.hash });
    const [third] = chain("stamps/s", second ?? chainStart, time, [created]);
    expect(third).toMatchObject({ seq: 3, prevHash: second?.hash });
  });

  it("may be appended to by nothing", () => {
    expect(chain("stamps/s", chainStart, time, [])).toEqual([]);
  });
});

describe("an event's hash", () => {
  it("is the SHA-256 of its RFC 8785 form without the hash, as API.md tells it", () => {
    const [event] = chain("service", chainStart, time, [created]);
    const form =
      '{"actor":{"id":"stamp-intake","kind":"service"},"data":{"bundleId":"b","sizeBytes":1},"on":"2026-11-23T10:00:00.000Z",' +
      `"partition":"service","prevHash":"${"0".repeat(64)}","seq":1,"type":"bundle.created"}`;
    expect(event?.hash).toBe(createHash("sha256").update(form).digest("hex"));
  });

  it("does not depend on the order in which facts were said", () => {
    const data = { ...created.data };
    const turned = Object.fromEntries(Object.entries(data).reverse());
    const [one] = chain("service", chainStart, time, [created]);
    const [other] = chain("service", chainStart, time, [{ ...created, data: turned }]);
    expect(other?.hash).toBe(one?.hash);
  });

  it("is refused to what has no such form", () => {
    const [event] = chain("service", chainStart, time, [created]);
    if (event === undefined) throw new Error("An event was chained");
    expect(() => eventHash({ ...event, data: { text: "\ud800" } })).toThrow();
    expect(() => eventHash({ ...event, data: { count: Number.NaN } })).toThrow();
  });
});

describe("the types of events", () => {
  it("are thing.happened, each once", () => {
    for (const type of eventTypes) expect(type).toMatch(/^[a-z][A-Za-z]*\.[a-z][A-Za-z]+$/);
    expect(new Set(eventTypes).size).toBe(eventTypes.length);
  });

  it("hold every one that API.md names", () => {
    const named =
      "stamp.registered stamp.updated stamp.keyRotated stamp.disabled stamp.enabled consent.decided bundle.created bundle.submitted " +
      "bundle.accepted bundle.rejected bundle.canceled bundle.expired bundle.erasureRequested bundle.erasureCanceled " +
      "bundle.purgeIntended bundle.purged bundle.accessed case.updated case.closed case.reopened bundle.linked bundle.unlinked " +
      "grant.activated grant.ended url.issued container.purgeIntended container.purged";
    expect(eventTypes).toEqual(expect.arrayContaining(named.split(" ")));
  });
});
