import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { utcTime } from "../../../shared/api/primitives.ts";
import { chain, chainStart, type NewEvent, theService } from "../../../shared/domain/event.ts";
import { runAudit, useServers } from "./support/run.ts";

/** `audit check` as a process, against a service that lists what a test wants it to. */

const on = utcTime.parse("2026-11-23T10:00:00.000Z");
const happened = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => ({ type: "bundle.created", actor: theService, data: { index } }));
const ledger: readonly object[] = [
  ...chain("service", chainStart, on, happened(2)),
  ...chain("stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10", chainStart, on, happened(5)),
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-audit-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const server = useServers();

const pageSize = 3;
type Listing = { readonly events?: readonly object[]; readonly elsewhere?: string };

/** A service whose list has three events a page; `elsewhere` is where it sends its reader on to. */
const serve = ({ events = ledger, elsewhere }: Listing = {}) =>
  server((origin) => (request, response) => {
    const url = new URL(request.url ?? "/", origin);
    const granted =
      request.headers.authorization === "Bearer good" && url.searchParams.get("api-version") === "2026-11-01";
    const from = Number(url.searchParams.get("skipToken") ?? 0);
    const next = `${elsewhere ?? origin}${url.pathname}?api-version=2026-11-01&skipToken=${from + pageSize}`;
    const page = {
      value: events.slice(from, from + pageSize),
      ...(from + pageSize < events.length ? { nextLink: next } : {}),
    };
    const refusal = { error: { code: "TokenInvalid", message: "Bring another." } };
    response.writeHead(granted ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(granted ? page : refusal));
  });

const audit = (...parameters: string[]) => runAudit(directory, ...parameters);

test("a whole ledger is read page by page and holds", async () => {
  const ran = await audit("check", "--origin", (await serve()).origin, "--token", "good");
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  expect(ran.stdout).toContain("service: to seq 2");
  expect(ran.stdout).toContain("stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10: to seq 5");
  expect(ran.stdout).toContain("Checked 7 events in 2 partitions: every chain holds.");
});

test("an altered event is named, and the exit code is 1", async () => {
  const events = ledger.map((event, index) => (index === 4 ? { ...event, type: "bundle.purged" } : event));
  const ran = await audit("check", "--origin", (await serve({ events })).origin, "--token", "good");
  expect(ran.exitCode).toBe(1);
  expect(ran.stdout).toContain("PROBLEM WrongHash at stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10 3:");
  expect(ran.stdout).toContain("Checked 7 events in 2 partitions: 1 problem.");
});

test("a ledger that cannot be read is no verdict: the exit code is 2 and the line says what to do", async () => {
  expect(await audit("check", "--origin", (await serve()).origin, "--token", "bad")).toMatchObject({
    exitCode: 2,
    stdout: "",
    stderr: expect.stringContaining("401 TokenInvalid: Bring another."),
  });
  // Nobody listens there: no process is given a port below 1,024 by chance.
  const origin = "http://127.0.0.1:2";
  expect(await audit("check", "--origin", origin, "--token", "good")).toMatchObject({
    exitCode: 2,
    stderr: `No service answers at ${origin}. Start it (npm start), or name another with --origin.\n`,
  });
  expect((await audit("check", "--origin", "there", "--token", "good")).exitCode).toBe(2);
  expect((await audit("verify")).exitCode).toBe(2);
});

test("the token goes to no other service", async () => {
  const { origin: other } = await serve();
  const { origin } = await serve({ elsewhere: other });
  const ran = await audit("check", "--origin", origin, "--token", "good");
  expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`sends its reader on to ${other}`) });
});

test("without a token it asks the local issuer, whose token this service does not know", async () => {
  const ran = await audit("check", "--origin", (await serve()).origin);
  expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("401 TokenInvalid") });
});
