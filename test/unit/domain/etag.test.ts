import { describe, expect, it } from "vitest";
import { etagOf, isHeld, requireCondition } from "../../../shared/domain/etag.ts";

const resource = { stampId: "a", keys: [{ keyId: "k1" }], displayName: "Contoso" };

describe("an ETag", () => {
  it("is strong, quoted, and fit for a header", () => {
    expect(etagOf(resource)).toMatch(/^"[0-9a-f]{32}"$/);
  });

  it("tells what a resource says, whatever the order of its fields", () => {
    expect(etagOf({ displayName: "Contoso", stampId: "a", keys: [{ keyId: "k1" }] })).toBe(etagOf(resource));
    expect(etagOf({ ...resource, displayName: "Fabrikam" })).not.toBe(etagOf(resource));
    expect(etagOf({ ...resource, keys: [{ keyId: "k2" }] })).not.toBe(etagOf(resource));
  });

  it("does not change with what differs from one answer to the next", () => {
    const answered = { ...resource, upload: { url: "https://one" }, stagedBlocks: [{ id: "AA==", sizeBytes: 1 }] };
    expect(etagOf(answered)).toBe(etagOf(resource));
  });
});

describe("If-Match", () => {
  const other = etagOf({ ...resource, displayName: "Fabrikam" });

  it.each([
    ["absent", undefined],
    ["its ETag", etagOf(resource)],
    ["a star", "*"],
    ["a list that holds it", `${other}, ${etagOf(resource)}`],
    ["a list without spaces", `${other},${etagOf(resource)}`],
  ])("%s lets a standing resource be changed", (_, ifMatch) => {
    expect(() => requireCondition({ ifMatch }, resource)).not.toThrow();
  });

  it.each([
    ["another ETag", other],
    ["a weak one: the comparison is strong (RFC 9110, 13.1.1)", `W/${etagOf(resource)}`],
    ["one without its quotes", etagOf(resource).replaceAll('"', "")],
    ["nothing", ""],
  ])("%s does not", (_, ifMatch) => {
    expect(() => requireCondition({ ifMatch }, resource)).toThrow(
      expect.objectContaining({ code: "ConditionNotMet", target: "If-Match" }),
    );
  });

  it.each([etagOf(resource), "*"])("%s never matches a resource that is not there", (ifMatch) => {
    expect(() => requireCondition({ ifMatch }, undefined)).toThrow(
      expect.objectContaining({ code: "ConditionNotMet" }),
    );
    expect(() => requireCondition({}, undefined)).not.toThrow();
  });
});

describe("If-None-Match", () => {
  const etag = etagOf(resource);
  const other = etagOf({ ...resource, displayName: "Fabrikam" });

  it.each([
    ["a star", "*"],
    ["its ETag", etag],
    ["a weak one: the comparison is weak (RFC 9110, 13.1.2)", `W/${etag}`],
    ["a list that holds it", `${other}, W/${etag}`],
  ])("%s keeps a standing resource from being changed, and tells a reader who has it", (_, ifNoneMatch) => {
    expect(() => requireCondition({ ifNoneMatch }, resource)).toThrow(
      expect.objectContaining({ code: "ConditionNotMet", target: "If-None-Match" }),
    );
    expect(() => requireCondition({ ifNoneMatch }, undefined)).not.toThrow();
    expect(isHeld(ifNoneMatch, resource)).toBe(true);
  });

  it.each([
    ["absent", undefined],
    ["another ETag", other],
    ["nothing", ""],
  ])("%s does not", (_, ifNoneMatch) => {
    expect(() => requireCondition({ ifNoneMatch }, resource)).not.toThrow();
    expect(isHeld(ifNoneMatch, resource)).toBe(false);
  });

  it("does not keep what an ETag leaves out from a reader", () => {
    expect(isHeld(etag, { ...resource, upload: { url: "https://one" } })).toBe(false);
  });

  it("counts beside If-Match", () => {
    expect(() => requireCondition({ ifMatch: etag, ifNoneMatch: etag }, resource)).toThrow("If-None-Match");
    expect(() => requireCondition({ ifMatch: etag, ifNoneMatch: other }, resource)).not.toThrow();
  });
});
