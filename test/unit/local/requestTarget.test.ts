import { expect, test } from "vitest";
import { joinedQuery, readRequestTarget } from "../../../local/host/requestTarget.ts";

test("a plain target passes as it is", () => {
  expect(readRequestTarget("/stamps/a-b:c?x=1&y=%20?")).toEqual({
    path: "/stamps/a-b:c",
    encodedPath: "/stamps/a-b:c",
    query: "?x=1&y=%20?",
  });
});

test("the path is decoded for matching, and the handler's URL keeps the escapes", () => {
  expect(readRequestTarget("/a%20b/%C3%A9")).toMatchObject({ path: "/a b/é", encodedPath: "/a%20b/%C3%A9" });
  expect(readRequestTarget("/%41")).toMatchObject({ path: "/A", encodedPath: "/%41" });
});

test("an escaped slash is no separator", () => {
  expect(readRequestTarget("/a%2Fb%2fc")).toMatchObject({ path: "/a%2Fb%2fc", encodedPath: "/a%2Fb%2fc" });
});

test("what a URL cannot hold is encoded", () => {
  expect(readRequestTarget('/a\\b{c}"#é')?.encodedPath).toBe("/a%5Cb%7Bc%7D%22%23%E9");
  expect(readRequestTarget("/100%/%zz")?.encodedPath).toBe("/100%25/%25zz");
});

test("an escape that is no UTF-8 stays", () => {
  expect(readRequestTarget("/%ff/a")).toMatchObject({ path: "/%ff/a", encodedPath: "/%ff/a" });
});

test("dot segments are resolved before matching, escaped or not", () => {
  expect(readRequestTarget("/a/../b/./c")?.path).toBe("/b/c");
  expect(readRequestTarget("/a/%2e%2E/b")?.path).toBe("/b");
  expect(readRequestTarget("/../a/..")?.path).toBe("/");
  expect(readRequestTarget("/a/...")?.path).toBe("/a/...");
});

test("an escaped dot still shows in the handler's URL", () => {
  const { encodedPath = "" } = readRequestTarget("/a/%2e%2E/b") ?? {};
  expect(new URL(encodedPath, "http://127.0.0.1").pathname).toBe("/a/%252e%252E/b");
});

test("of an absolute target the path counts", () => {
  expect(readRequestTarget("http://elsewhere.example/a?b=1")).toEqual({ path: "/a", encodedPath: "/a", query: "?b=1" });
});

test.each(["*", "elsewhere:443", "/a%00b"])("%s is a bad request", (target) => {
  expect(readRequestTarget(target)).toBeUndefined();
});

test("query keys ignore case, and values of one key are joined by a comma", () => {
  expect(joinedQuery("?a=1&A=2&b=x+y&c&a=3")).toEqual({ a: "1,2,3", b: "x y", c: "" });
});
