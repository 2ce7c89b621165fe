import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePlace, nextLink } from "../../../shared/http/paging.ts";
import type { Received } from "../../../shared/http/received.ts";

const origin = "https://intake.example.com";
const received = (query: Record<string, string>): Received => ({
  method: "GET",
  path: "/cases",
  search: "",
  query: new URLSearchParams(query),
  params: {},
  headers: new Headers(),
  body: undefined,
});
const tokenOf = (link: string) => new URL(link).searchParams.get("skipToken") ?? undefined;

describe("a nextLink", () => {
  const link = nextLink(origin, received({ "api-version": "2026-11-01", top: "2", state: "open" }), "history!1!a");

  it("is absolute, and the same request but for its place", () => {
    const url = new URL(link);
    expect(url.origin + url.pathname).toBe(`${origin}/cases`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      "api-version": "2026-11-01",
      top: "2",
      state: "open",
      skipToken: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
    });
  });

  it("replaces the place that the request came with", () => {
    const next = nextLink(origin, received({ skipToken: tokenOf(link) ?? "" }), "history!2!b");
    expect(new URL(next).searchParams.getAll("skipToken")).toHaveLength(1);
    expect(decodePlace(tokenOf(next))).toBe("history!2!b");
  });

  it("leads back to whatever place a storage key is", () => {
    const key = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 384,
    });
    fc.assert(
      fc.property(key, (place) => {
        expect(decodePlace(tokenOf(nextLink(origin, received({}), place)))).toBe(place);
      }),
    );
  });
});

describe("a skipToken", () => {
  it("may be absent", () => {
    expect(decodePlace(undefined)).toBeUndefined();
  });

  it.each([
    ["empty", ""],
    ["of no base64url", "!!!"],
    ["of bytes that are no key", Buffer.from("a\nb").toString("base64url")],
    ["of a key with a space", Buffer.from("a b").toString("base64url")],
    ["of Unicode", Buffer.from("ä").toString("base64url")],
    ["of a key that is too long", Buffer.from("a".repeat(385)).toString("base64url")],
  ])("%s is InvalidParameter", (_, token) => {
    expect(() => decodePlace(token)).toThrow(
      expect.objectContaining({ code: "InvalidParameter", target: "skipToken" }),
    );
  });
});
