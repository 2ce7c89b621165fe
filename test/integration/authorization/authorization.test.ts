import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OperationId } from "../../../shared/api/routes.ts";
import { mapBounded } from "../../../shared/operations/bounded.ts";
import { newCaseNumber } from "../../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import { casePage, type LedgerEvent } from "../../support/system/shapes.ts";
import { type Caller, callers } from "./callers.ts";
import { callsOf } from "./calls.ts";
import { type Cell, cells, isRefused, labelOf, operationIds } from "./cells.ts";
import { play } from "./requests.ts";
import { openScene, type Scene } from "./scene.ts";

/**
 * The authorization matrix: every route, by every kind of caller, in every situation that can exist, against a running service.
 * First all that is refused, then all that is read, many at once, and none of it may change anything; then what changes, one by one, endings last.
 */

/** They end what others of the matrix need; repeating one is the same success, so each of their callers may come. */
const endings: readonly OperationId[] = [
  "AccessRequests_Approve",
  "AccessRequests_Deny",
  "Bundles_Cancel",
  "Bundles_Erase",
  "Grants_Revoke",
  "Cases_UnlinkBundle",
  "Stamps_Disable",
];

const atOnce = 24;

type Played = { readonly cell: Cell; readonly answer: Answer };

let scene: Scene;
let calls: Awaited<ReturnType<typeof callsOf>>;
let played: readonly Played[];
let ledger: { readonly before: readonly LedgerEvent[]; readonly after: readonly LedgerEvent[] };

beforeAll(async () => {
  scene = await openScene();
  calls = await callsOf(scene);
  const playAll = (these: readonly Cell[], limit: number) =>
    mapBounded(these, limit, async (cell): Promise<Played> => ({ cell, answer: await play(scene, calls, cell) }));

  const granted = cells.filter((cell) => !isRefused(cell));
  const changes = granted.filter(({ verb }) => verb !== "GET");
  const before = await eventsOfScene();
  const refused = await playAll(cells.filter(isRefused), atOnce);
  const read = await playAll(
    granted.filter(({ verb }) => verb === "GET"),
    atOnce,
  );
  ledger = { before, after: await eventsOfScene() };
  const ordered = changes.toSorted(
    (one, other) => endings.indexOf(one.operationId) - endings.indexOf(other.operationId),
  );
  played = [...refused, ...read, ...(await playAll(ordered, 1))];
}, 600_000);
afterAll(() => scene?.world.close());

/** All that people and stamps did; what the service's own partition has beside that is its timers' work. */
async function eventsOfScene(): Promise<readonly LedgerEvent[]> {
  const events = await scene.world.events();
  return events.filter(({ partition, actor }) => partition !== "service" || actor.kind === "person");
}

/** Reads that write: a grantee's first list of a bundle's files of a day. */
const isListing = ({ type }: LedgerEvent): boolean => type === "bundle.listed";

const verdictOf = ({ status, headers }: Answer): string =>
  [status, headers["x-ms-error-code"]].filter(Boolean).join(" ");

describe.each(operationIds)("%s", (operationId) => {
  it("answers each caller in each situation as the contract says", () => {
    const own = played.filter(({ cell }) => cell.operationId === operationId);
    expect(own.length).toBeGreaterThan(0);
    expect(Object.fromEntries(own.map(({ cell, answer }) => [labelOf(cell), verdictOf(answer)]))).toEqual(
      Object.fromEntries(own.map(({ cell }) => [labelOf(cell), cell.verdict])),
    );
  });
});

it("plays every cell once", () => {
  expect(new Set(played.map(({ cell }) => cell))).toEqual(new Set(cells));
  expect(played).toHaveLength(cells.length);
});

it("has every refusal say so in the contract's words", () => {
  for (const { cell, answer } of played.filter((each) => isRefused(each.cell))) {
    const [status = "", code = ""] = cell.verdict.split(" ");
    expectRefusal(answer, Number(status), code);
  }
});

it("changes nothing where it refuses or is read, but that a day's first look at the whole ledger or at a bundle's files is in it", () => {
  expect(ledger.before.length).toBeGreaterThan(50);
  expect(ledger.after.filter((event) => !isListing(event))).toEqual(ledger.before);
  const listed = new Set(ledger.after.filter(isListing).map(({ actor, data }) => `${actor.id} ${data.bundleId}`));
  expect(listed.size).toBe(1);
  expect(ledger.after.filter(isListing)).toHaveLength(listed.size);
  const exported = ledger.after.filter(({ type }) => type === "audit.exported");
  expect(new Set(exported.map(({ actor, data }) => `${actor.id} ${data.day}`)).size).toBe(exported.length);
});

describe("an auditor", () => {
  const byAuditor = () => played.filter(({ cell }) => cell.caller === "auditor");

  it("can change nothing: whatever is no GET is 403 RoleMissing", () => {
    const changes = byAuditor().filter(({ cell }) => cell.verb !== "GET");
    expect(new Set(changes.map(({ cell }) => cell.operationId)).size).toBeGreaterThan(10);
    for (const { answer } of changes) expectRefusal(answer, 403, "RoleMissing");
  });

  it("reaches no byte: no answer holds a URL into storage", () => {
    expect(byAuditor().length).toBeGreaterThan(50);
    for (const { cell, answer } of byAuditor()) expect(leadsToBytes(answer), cell.operationId).toBe(false);
  });
});

it("gives URLs into storage to the stamp that uploads, its carrier, who opens a drop box and the grantee, and to nobody else", () => {
  const given = played
    .filter(({ answer }) => leadsToBytes(answer))
    .map(({ cell }) => nameOf(cell.operationId, cell.caller));
  expect([...new Set(given)].sort()).toEqual(
    [
      nameOf("Bundles_Get", "stamp"),
      nameOf("Bundles_Put", "stamp"),
      nameOf("Bundles_RenewUpload", "stamp"),
      nameOf("Files_Extract", "grantee"),
      nameOf("Grants_IssueUrl", "grantee"),
      nameOf("Imports_Get", "carrier"),
      nameOf("Imports_Put", "carrier"),
      nameOf("DropBoxes_Put", "caseSystem"),
      nameOf("DropBoxes_Put", "grantee"),
      nameOf("DropBoxes_Put", "colleague"),
      nameOf("Stamps_CheckUpload", "stamp"),
    ].sort(),
  );
});

const nameOf = (operationId: OperationId, caller: Caller): string => `${operationId} by ${callers[caller]}`;

/** Storage's shared key is the service's alone, so whatever leads to bytes carries the signature of a SAS. */
const leadsToBytes = ({ text, headers }: Answer): boolean => /[?&]sig=/.test(`${text}${JSON.stringify(headers)}`);

describe("an engineer", () => {
  it("lists the cases that they are assigned to, and no others", async () => {
    const listed = async (caller: Caller) =>
      casePage
        .parse(expectStatus(await calls[caller]("GET", "/cases"), 200).json)
        .value.map(({ caseNumber }) => caseNumber)
        .sort();
    const { open, closed } = scene.cases;
    const both = [open.actor.caseNumber, closed.actor.caseNumber].sort();
    expect(await listed("grantee")).toEqual(both);
    expect(await listed("colleague")).toEqual(both);
    expect(await listed("engineerElsewhere")).toHaveLength(1);
    expect(both).not.toContain((await listed("engineerElsewhere"))[0]);
    expect(await listed("engineerNowhere")).toEqual([]);
  });

  it("cannot tell a case of others from one that does not exist", async () => {
    const ask = async (path: string) => (await calls.engineerElsewhere("GET", path)).text;
    const others = scene.cases.open.actor.path;
    for (const part of ["", "/bundles", "/accessGrants", `/accessGrants/${randomUUID()}`]) {
      expect(await ask(`${others}${part}`)).toBe(await ask(`/cases/${newCaseNumber()}${part}`));
    }
  });
});
