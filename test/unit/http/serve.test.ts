import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pageQuery } from "../../../shared/api/primitives.ts";
import { noBody, type Route, route } from "../../../shared/api/route.ts";
import { subjectId } from "../../../shared/domain/people.ts";
import { DomainError } from "../../../shared/errors.ts";
import { nothing, page, plain, resource } from "../../../shared/http/answer.ts";
import { type Edge, type Handler, serve } from "../../../shared/http/serve.ts";
import { id } from "../domain/support/records.ts";

/** One request through the edge, with everything behind it played here. */

const things = route({
  operationId: "Things_List",
  verb: "GET",
  path: "/things/{thingId}",
  who: ["A"],
  summary: "",
  params: z.object({ thingId: z.string().regex(/^[a-z]+$/, "must be letters") }),
  query: z.object(pageQuery),
  body: noBody,
  result: z.unknown(),
  statuses: [200],
});
const { query: _paged, ...unpaged } = things;
const thing = route({ ...unpaged, query: z.object({}) });
const act = route({ ...unpaged, verb: "POST", query: z.object({}) });
const put = route({ ...unpaged, verb: "PUT", query: z.object({}), body: z.strictObject({ name: z.string() }) });

const said: { event: string; facts: unknown }[] = [];
const note = (event: string, ...facts: unknown[]) => void said.push({ event, facts });
const never = (): never => {
  throw new Error("is not asked here");
};
const edge: Edge = {
  clock: { now: () => new Date(), real: () => new Date() },
  publicOrigin: "https://intake.example.com",
  verifyToken: async (header) => {
    if (header !== "Bearer good") throw new DomainError("TokenInvalid", "Bring another.");
    return { oid: id(1), role: "A" };
  },
  people: { subjectOf: async () => subjectId.parse(id(2)) },
  stamps: { head: never },
  useNonce: never,
  log: { info: note, alert: note, error: note },
};

type Sent = { search?: string; headers?: Record<string, string>; params?: Record<string, string>; body?: string };
const latest = "?api-version=2026-11-01";
const good = { authorization: "Bearer good" };

async function ask<P, Q, B>(of: Route<P, Q, B>, handler: Handler<P, Q, B>, sent: Sent = {}) {
  const { search = latest, headers = good, params = { thingId: "a" }, body } = sent;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const request = new HttpRequest({
    method: of.verb,
    url: `https://host/things/a${search}`,
    headers: { ...length, ...headers },
    params,
    ...(body === undefined ? {} : { body: { string: body } }),
  });
  const answer: HttpResponseInit = await serve(
    async () => edge,
    of,
    async () => handler,
    request,
    { invocationId: "i-1" },
  );
  const code = z.object({ error: z.object({ code: z.string() }) }).safeParse(answer.jsonBody).data?.error.code;
  return { ...answer, code, headers: new Headers(Object.entries(answer.headers ?? {})) };
}
const fine = async () => plain({ fine: true });

describe("the order of checks", () => {
  const wrong = { search: "", headers: {}, params: { thingId: "1" } };
  it.each([
    ["the path", wrong, "InvalidParameter"],
    ["an action that there is not", { ...wrong, params: { thingId: "a:b" } }, "NotFound"],
    ["the api-version", { search: "?top=0", headers: {} }, "MissingApiVersionParameter"],
    ["another api-version", { search: "?api-version=2020-01-01", headers: {} }, "UnsupportedApiVersionValue"],
    ["two of them", { search: `${latest}&api-version=2026-11-01`, headers: {} }, "InvalidParameter"],
    ["the credential", { search: `${latest}&top=0`, headers: {} }, "TokenMissing"],
    ["a wrong one", { search: `${latest}&top=0`, headers: { authorization: "Bearer bad" } }, "TokenInvalid"],
    ["the query", { search: `${latest}&top=0` }, "InvalidParameter"],
    ["a parameter given twice", { search: `${latest}&top=1&top=1` }, "InvalidParameter"],
    ["a place that is none", { search: `${latest}&skipToken=YSBi` }, "InvalidParameter"],
  ])("begins with %s", async (_, sent, code) => {
    expect((await ask(things, fine, sent)).code).toBe(code);
  });

  it("comes to the body last", async () => {
    expect((await ask(act, fine, { body: "{}" })).code, "a body where none is taken").toBe("InvalidBody");
    const typed = { ...good, "content-type": "application/json" };
    expect((await ask(put, fine, { body: "{}", headers: typed, search: "" })).code).toBe("MissingApiVersionParameter");
    expect((await ask(put, fine, { body: "{}", headers: good })).code).toBe("UnsupportedMediaType");
    expect((await ask(put, fine, { body: "{}", headers: typed })).code).toBe("InvalidBody");
    expect((await ask(put, fine, { body: '{"name":"a"}', headers: typed })).status).toBe(200);
  });
});

describe("query parameters that the contract does not have", () => {
  const targetOf = (answer: HttpResponseInit) =>
    z.object({ error: z.object({ target: z.string() }) }).parse(answer.jsonBody).error.target;

  it.each([
    ["&x=1", "x"],
    ["&form=2026-11-01T00:00:00Z", "form"],
    ["&$filter=x", "$filter"],
    ["&Top=1", "Top"],
    ["&__proto__=1", "__proto__"],
    ["&constructor=1", "constructor"],
    ["&%00=1", "\0"],
    ["&=1", ""],
    [`&${"n".repeat(200)}=1`, "n".repeat(128)],
  ])("%s are refused by name", async (more, name) => {
    const got = await ask(things, fine, { search: `${latest}${more}` });
    expect(got.code).toBe("InvalidParameter");
    expect(targetOf(got)).toBe(name);
  });

  it("are refused also where they are another route's", async () => {
    const got = await ask(thing, fine, { search: `${latest}&skipToken=a` });
    expect([got.code, targetOf(got)]).toEqual(["InvalidParameter", "skipToken"]);
  });

  it("are refused after the credential, and before the body", async () => {
    expect((await ask(things, fine, { search: `${latest}&x=1`, headers: {} })).code).toBe("TokenMissing");
    expect((await ask(act, fine, { search: `${latest}&x=1`, body: "{}" })).code).toBe("InvalidParameter");
  });

  it("are ignored on a route for anyone, where no more than once", async () => {
    const open = route({ ...thing, who: "anyone" });
    expect((await ask(open, fine, { search: "?x=1&__proto__=1&api-version=0", headers: {} })).status).toBe(200);
    expect((await ask(open, fine, { search: "?x=1&x=2", headers: {} })).code).toBe("InvalidParameter");
  });

  it("are none where the query has no more than an ampersand", async () => {
    expect((await ask(things, fine, { search: `${latest}&&` })).status).toBe(200);
  });
});

describe("a Content-Encoding", () => {
  const typed = { ...good, "content-type": "application/json" };
  const send = (encoding: string) =>
    ask(put, fine, { body: '{"name":"a"}', headers: { ...typed, "content-encoding": encoding } });

  it.each(["gzip", "br", "identity, gzip", "identity;q=1", "x"])("of %s is refused", async (encoding) => {
    expect((await send(encoding)).code).toBe("UnsupportedMediaType");
  });

  it.each(["identity", "Identity"])("of %s is taken", async (encoding) => {
    expect((await send(encoding)).status).toBe(200);
  });

  it("is refused after the credential, and where no body is taken too", async () => {
    const encoding = { "content-encoding": "gzip" };
    expect((await ask(things, fine, { headers: encoding })).code).toBe("TokenMissing");
    expect((await ask(things, fine, { headers: { ...good, ...encoding } })).code).toBe("UnsupportedMediaType");
  });
});

describe("an answer", () => {
  it("of a list leads to its next page", async () => {
    const got = await ask(things, async ({ after }) => page({ value: [{ after }], next: "b" }), {
      search: `${latest}&top=1&skipToken=${Buffer.from("a").toString("base64url")}`,
    });
    const { value, nextLink } = z.object({ value: z.array(z.unknown()), nextLink: z.url() }).parse(got.jsonBody);
    expect(value).toEqual([{ after: "a" }]);
    expect(nextLink).toBe(`https://intake.example.com/things/a${latest}&top=1&skipToken=Yg`);
  });

  it("of a resource has its ETag; one without content has neither", async () => {
    expect((await ask(things, async () => resource({ a: 1 }))).headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
    const empty = await ask(things, async () => nothing);
    expect([empty.status, empty.headers.get("etag"), empty.jsonBody]).toEqual([204, null, undefined]);
  });

  it("names its request, is not to be stored, and echoes what the client calls it", async () => {
    const got = await ask(things, fine, { headers: { ...good, "x-ms-client-request-id": "my 1st" } });
    expect(got.headers.get("x-ms-request-id")).toBe("i-1");
    expect(got.headers.get("cache-control")).toBe("no-store");
    expect(got.headers.get("x-ms-client-request-id")).toBe("my 1st");
    const refused = await ask(things, fine, { headers: { "x-ms-client-request-id": "x".repeat(128) } });
    expect(refused.headers.get("x-ms-client-request-id")).toBe("x".repeat(128));
  });

  it.each(["x".repeat(129), "ä", ""])("does not echo %s", async (name) => {
    const got = await ask(things, fine, { headers: { ...good, "x-ms-client-request-id": name } });
    expect(got.headers.get("x-ms-client-request-id")).toBeNull();
  });
});

describe("a failure inside", () => {
  it("is an InternalError that reveals nothing, and is logged with its cause", async () => {
    said.length = 0;
    const failure = new TypeError("sig=secret");
    const got = await ask(things, () => Promise.reject(failure));
    expect([got.status, got.code]).toEqual([500, "InternalError"]);
    expect(JSON.stringify(got.jsonBody)).not.toContain("secret");
    const facts = [
      failure,
      {
        operation: "Things_List",
        code: "InternalError",
        durationMs: expect.any(Number),
        roundTrips: 0,
        requestId: "i-1",
      },
    ];
    expect(said).toEqual([{ event: "request.failed", facts }]);
  });

  it("of the edge itself is answered all the same", async () => {
    const request = new HttpRequest({ method: "GET", url: `https://host/things/a${latest}`, params: { thingId: "a" } });
    const broken = () => Promise.reject(new Error("no settings"));
    const answer = await serve(broken, things, async () => fine, request, { invocationId: "i-2" });
    expect(answer.status).toBe(500);
  });

  it("a refusal is logged by its code and nothing else", async () => {
    said.length = 0;
    await ask(things, fine, { headers: {} });
    const facts = [
      {
        operation: "Things_List",
        code: "TokenMissing",
        status: 401,
        durationMs: expect.any(Number),
        roundTrips: 0,
        requestId: "i-1",
      },
    ];
    expect(said).toEqual([{ event: "request.refused", facts }]);
  });
});
