import { HttpRequest } from "@azure/functions";
import { expect, it } from "vitest";
import { z } from "zod";
import { noBody, type Route, route } from "../../../shared/api/route.ts";
import { tokenVerifierWith } from "../../../shared/auth/tokens.ts";
import { chainStart } from "../../../shared/domain/event.ts";
import { subjectId } from "../../../shared/domain/people.ts";
import { plain } from "../../../shared/http/answer.ts";
import { type Edge, serve } from "../../../shared/http/serve.ts";
import { id } from "../domain/support/records.ts";

/** Before the caller is known, no text in a request may cost more than in proportion to its length: one instance serves many. */

const stampId = id(1);
const read = route({
  operationId: "Things_Get",
  verb: "GET",
  path: "/stamps/{stampId}/bundles/{bundleId}",
  who: ["stamp", "A"],
  summary: "",
  params: z.object({ stampId: z.string(), bundleId: z.string() }),
  query: z.object({}),
  body: noBody,
  result: z.unknown(),
  statuses: [200],
});
const byManifest = route({ ...read, who: ["manifest"] });
const open = route({ ...read, who: "anyone" });

const silent = () => {};
const edge: Edge = {
  clock: { now: () => new Date(), real: () => new Date() },
  publicOrigin: "https://intake.example.com",
  verifyToken: tokenVerifierWith(() => Promise.reject(new Error("no keys here")), {
    issuer: "i",
    audience: "a",
    tenantId: id(9),
    scope: "access_as_user",
    trustedClients: {},
  }),
  people: { subjectOf: async () => subjectId.parse(id(2)) },
  stamps: {
    head: async () => ({
      partition: `stamps/${stampId}`,
      position: chainStart,
      state: undefined,
      touchedDay: undefined,
      etag: undefined,
    }),
  },
  useNonce: async () => true,
  log: { info: silent, alert: silent, error: silent },
};

type Hostile = { readonly of?: Route; readonly search?: string; readonly headers?: Record<string, string> };

const longHeader = 7_500;
const longQuery = 2_000;
const good =
  '("@method" "@target-uri");created=1795300000;expires=1795300300;nonce="0123456789abcdef";keyid="k1";tag="stamp-intake"';
const signed = (input: string, signature = "sig=:AAAA:", more: Record<string, string> = {}): Hostile => ({
  headers: { "signature-input": input, signature, ...more },
});
const counted = (count: number, each: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => each(index));
const filled = (unit: string, size: number) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

/** Each makes a request whose hostile part has this many characters. */
const inHeaders: Readonly<Record<string, (size: number) => Hostile>> = {
  "spaces in Signature-Input": (size) => signed(`a${filled(" ", size)}b`),
  "spaces in Signature": (size) => signed(`sig=${good}`, `a${filled(" ", size)}b`),
  "spaces in another header": (size) => signed(`sig=${good}`, "sig=:AAAA:", { "x-note": `a${filled(" ", size)}b` }),
  "tabs in a covered header": (size) =>
    signed(`sig=("x-note" ${good.slice(1)}`, "sig=:AAAA:", { "x-note": `a${filled("\t", size)}b` }),
  "quotes that are escaped": (size) => signed(filled('\\"', size)),
  "quotes that are escaped, in a parameter": (size) => signed(`sig=${good};x="${filled('\\"', size)}`),
  "quotes that are open": (size) => signed(filled('"', size)),
  "parentheses that are open": (size) => signed(filled("(", size)),
  "semicolons with spaces": (size) => signed(`sig=()${filled(";  ", size)}`),
  "many components": (size) => signed(`sig=(${filled('"a" ', size)})`),
  "components of one dictionary": (size) =>
    signed(
      `sig=(${counted(size / 40, (index) => `"x-note";key="k${index}"`).join(" ")})${good.slice(25)}`,
      "sig=:AAAA:",
      {
        "x-note": counted(size / 20, (index) => `k${index}=1`).join(", "),
      },
    ),
  "many parameters": (size) => signed(`sig=()${filled(";a=1", size)}`),
  "many labels": (size) => signed(filled("s=(), ", size)),
  "colons in Signature": (size) => signed(`sig=${good}`, filled("s=::, ", size)),
  "digits for a time": (size) => signed(`sig=("@method");created=${filled("1", size)}`),
  "a digest of spaces": (size) => signed(`sig=${good}`, "sig=:AAAA:", { "content-digest": filled(" ", size) }),
  "spaces before a token": (size) => ({ headers: { authorization: `Bearer ${filled(" ", size)}` } }),
  "a token of dots": (size) => ({ headers: { authorization: `Bearer ${filled(".", size)}!` } }),
  "a token of equals signs": (size) => ({ headers: { authorization: `Bearer a${filled("=", size)}!` } }),
  "a token of letters": (size) => ({ headers: { authorization: `Bearer ${filled("e", size)}` } }),
  "spaces before a manifest": (size) => ({
    of: byManifest,
    headers: { authorization: `Manifest ${filled(" ", size)}!` },
  }),
  "a manifest of dots": (size) => ({ of: byManifest, headers: { authorization: `Manifest ${filled(".", size)}` } }),
  "a client request id": (size) => ({ headers: { "x-ms-client-request-id": `${filled(" ", size)}\u00e4` } }),
  "a traceparent": (size) => ({ headers: { traceparent: filled("00-", size) } }),
  "a content type": (size) => ({ headers: { "content-type": `application/json${filled(" ", size)};` } }),
  "a content encoding": (size) => ({ of: open, headers: { "content-encoding": filled(" ,", size) } }),
  "a content length": (size) => ({ headers: { "content-length": filled("1", size) } }),
  "ETags that a reader has": (size) => ({ of: open, headers: { "if-none-match": filled('W/"', size) } }),
  "a user agent": (size) =>
    signed(`sig=${good}`, "sig=:AAAA:", { "user-agent": filled("stamp-intake-client/1", size) }),
};
const inQueries: Readonly<Record<string, (size: number) => Hostile>> = {
  "a query of many names": (size) => ({
    of: open,
    search: `?${counted(size / 4, (index) => index.toString(36).padStart(3, "x")).join("&")}`,
  }),
  "a query of one name": (size) => ({ of: open, search: `?${filled("a&", size)}` }),
  "a query of versions": (size) => ({ search: `?${filled("api-version=2026-11-01&", size)}` }),
  "a query of escapes": (size) => ({ of: open, search: `?a=${filled("%", size)}` }),
};
const hostile = [
  ...Object.entries(inHeaders).map(([what, make]) => [what, make, longHeader] as const),
  ...Object.entries(inQueries).map(([what, make]) => [what, make, longQuery] as const),
];

/** Microseconds that this thread works for one request. */
async function costOf({ of = read, search = "?api-version=2026-11-01", headers = {} }: Hostile): Promise<number> {
  const request = new HttpRequest({
    method: of.verb,
    url: `https://host/stamps/${stampId}/bundles/${id(3)}${search}`,
    headers,
    params: { stampId, bundleId: id(3) },
  });
  const before = process.threadCpuUsage();
  await serve(
    async () => edge,
    of,
    async () => async () => plain({}),
    request,
    { invocationId: "i-1" },
  );
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** What is below this is not told from noise. */
const leastCost = 1_000;
const rounds = 5;
const factor = 4;

it.each(hostile)("%s: four times as long costs no more than about four times as much", async (_what, make, size) => {
  const [short, long] = [make(size), make(size * factor)];
  const costs = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round += 1) {
    costs.short = Math.min(costs.short, await costOf(short));
    costs.long = Math.min(costs.long, await costOf(long));
  }
  // Work that grows with the square would be sixteen times as much.
  expect(costs.long / Math.max(costs.short, leastCost)).toBeLessThan(2 * factor);
});
