import { expect, test } from "vitest";
import { parseRouteTemplate } from "../../../local/host/routeTemplate.ts";

const match = (template: string, path: string) => parseRouteTemplate(template).match(path);

test("literal segments ignore case and accept one trailing slash", () => {
  expect(match("stamps/all", "/Stamps/ALL")).toEqual({});
  expect(match("stamps/all", "/stamps/all/")).toEqual({});
  expect(match("stamps/all", "/stamps/all//")).toBeUndefined();
  expect(match("stamps/all", "/stamps/all/more")).toBeUndefined();
  expect(match("stamps/all", "/stamps")).toBeUndefined();
});

test("the empty template is the root", () => {
  expect(match("", "/")).toEqual({});
  expect(match("", "/x")).toBeUndefined();
});

test("a parameter takes one whole segment, keeps its case and is never empty", () => {
  expect(match("stamps/{stampId}", "/stamps/AbC")).toEqual({ stampId: "AbC" });
  expect(match("stamps/{stampId}/bundles", "/stamps//bundles")).toBeUndefined();
  expect(match("stamps/{stampId}", "/stamps/a/b")).toBeUndefined();
});

test("a segment of several parts is split from the right", () => {
  expect(match("stamps/{stampId}:disable", "/stamps/s-1:DISABLE")).toEqual({ stampId: "s-1" });
  expect(match("stamps/{stampId}:disable", "/stamps/a:b:disable/")).toEqual({ stampId: "a:b" });
  expect(match("stamps/{stampId}:disable", "/stamps/:disable")).toBeUndefined();
  expect(match("x/{a}-{b}", "/x/1-2-3")).toEqual({ a: "1-2", b: "3" });
});

test("a parameter alone also takes what a longer template would split", () => {
  expect(match("stamps/{stampId}", "/stamps/s-1:disable")).toEqual({ stampId: "s-1:disable" });
});

test("dots in literals are dots", () => {
  expect(match(".well-known/jwks.json", "/.well-known/jwks.json")).toEqual({});
  expect(match(".well-known/jwks.json", "/.well-known/jwksxjson")).toBeUndefined();
});

test("a catch-all takes the rest, slashes and all, and nothing at all too", () => {
  expect(match("{*path}", "/")).toEqual({});
  expect(match("{*path}", "/a/b/c/")).toEqual({ path: "a/b/c/" });
  expect(match("terms/{*path}", "/terms")).toEqual({});
  expect(match("terms/{**path}", "/terms/2026/x")).toEqual({ path: "2026/x" });
  expect(match("terms/{*path}", "/termsandmore")).toBeUndefined();
});

test("an empty segment where a catch-all begins is taken by none, as the real host splits a path", () => {
  for (const path of ["//", "///", "//health"]) expect(match("{*path}", path), path).toBeUndefined();
  expect(match("terms/{*path}", "/terms//x")).toBeUndefined();
  expect(match("{*path}", "/a//b")).toEqual({ path: "a//b" });
});

test.each([
  "stamps/{stampId:guid}",
  "stamps/{stampId?}",
  "stamps/{stampId=1}",
  "{*path}/more",
  "a{*path}",
  "stamps/{stampId",
  "{id}/x/{id}",
])("refuses %s, which the embedded host has no use for", (template) => {
  expect(() => parseRouteTemplate(template)).toThrow(`Route "${template}"`);
});
