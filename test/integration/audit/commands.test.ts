import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Exported, form, history, live, openSigner, type Signer, write } from "./support/ledger.ts";
import { type Ran, runAudit, useServers } from "./support/run.ts";

/** `audit verify` and `audit report` as processes: what is wrong is named, with an exit code for each kind of end, and never a stack trace. */

let directory: string;
let signer: Signer;
let other: Signer;
let whole: Exported;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-commands-"));
  [signer, other] = [await openSigner("k1"), await openSigner("k2")];
  whole = await live(history, signer, () => 1_790_000_000);
});
beforeEach(() => write(directory, whole));
afterAll(() => rm(directory, { recursive: true, force: true }));

const file = (name: string) => join(directory, name);
const audit = async (...parameters: readonly string[]): Promise<Ran> => {
  const ran = await runAudit(directory, ...parameters);
  expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/^\s+at |node:internal|Node\.js v/m);
  return ran;
};

describe("verify", () => {
  test("a whole export holds, and what that is worth is said", async () => {
    const ran = await audit("verify", directory, "--trust", signer.thumbprint, "--trust", other.thumbprint);
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ran.stdout).toMatch(/^Consistent and authenticated: signed by the trusted key\./m);
    expect((await audit("verify", directory)).stdout).toMatch(/^Consistent, and not authenticated/m);
  });

  type Wrong = {
    readonly what: string;
    readonly spoil?: () => Promise<void>;
    readonly parameters?: () => readonly string[];
    readonly problem: string;
  };
  const without = (name: string): Wrong => ({
    what: `${name} missing`,
    spoil: () => rm(file(name)),
    problem: `MissingFile at ${name}`,
  });
  const wrongs: readonly Wrong[] = [
    ...["events.ndjson", "checkpoints.ndjson", "leaves.ndjson", "keys.json"].map(without),
    {
      what: "a torn last line",
      spoil: async () => truncate(file("events.ndjson"), (await readFile(file("events.ndjson"))).length - 7),
      problem: "TornLine at events.ndjson:17",
    },
    {
      what: "no folder at all",
      parameters: () => [file("nowhere")],
      problem: "MissingFile at events.ndjson",
    },
    {
      what: "a file in the folder's place",
      parameters: () => [file("keys.json")],
      problem: "MissingFile at events.ndjson",
    },
    {
      what: "the keys of another service",
      spoil: () => writeFile(file("keys.json"), form({ keys: [other.jwk] })),
      problem: "KeyUnknown at checkpoints.ndjson:1, checkpoint 1",
    },
    {
      what: "another key than the trusted one",
      parameters: () => [directory, "--trust", other.thumbprint],
      problem: "KeyNotTrusted at checkpoints.ndjson:1, checkpoint 1",
    },
    {
      what: "a checkpoint from the future",
      spoil: async () =>
        write(directory, await live(history, signer, (seq) => (seq < 4 ? 1_790_000_000 : 4_000_000_000))),
      problem: "FromTheFuture at checkpoints.ndjson:4, checkpoint 4",
    },
    {
      what: "a held checkpoint that is newer than all of it",
      spoil: async () => {
        await write(directory, await live(history.slice(0, 9), signer, () => 1_790_000_000));
        await writeFile(file("held.jws"), whole.checkpoints[3]?.checkpoint ?? "");
      },
      parameters: () => [directory, "--since", file("held.jws")],
      problem: "HeldIsNewer at ",
    },
    {
      what: "a held file that is not there",
      parameters: () => [directory, "--since", file("gone")],
      problem: "MissingFile at ",
    },
  ];
  test.each(wrongs)("$what is named, and the exit code is 1", async ({ spoil, parameters, problem }) => {
    await spoil?.();
    const ran = await audit("verify", ...(parameters?.() ?? [directory]));
    expect(ran).toMatchObject({ exitCode: 1, stderr: "" });
    expect(ran.stdout).toContain(`PROBLEM ${problem}`);
    expect(ran.stdout).toMatch(/problems?: this export does not hold\.$/m);
  });

  test.each([
    ["no thumbprint", ["--trust", "abc"], /abc is no RFC 7638 SHA-256 thumbprint: those have 43 characters/],
    ["a key in a thumbprint's place", ["--trust", '{"kty":"EC"}'], /is no RFC 7638 SHA-256 thumbprint/],
    ["nothing after --trust", ["--trust"], /--trust/],
    ["nothing after --since", ["--since"], /--since/],
    ["an option that there is not", ["--trusted", "x"], /--trusted/],
    ["a second folder", ["elsewhere"], /too many arguments/],
  ])("%s: nothing is verified, the exit code is 2", async (_what, parameters, complaint) => {
    const ran = await audit("verify", directory, ...parameters);
    expect(ran).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(complaint) });
  });
});

describe("report", () => {
  const server = useServers();
  const answering = (answer: unknown) =>
    server(() => (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  const day = {
    day: "20261122",
    created: 3,
    bytes: 12_288,
    byState: { accepted: 2, purged: 1 },
    purgeOn: "2027-02-10T00:00:00.000Z",
    purgedBy: { erasure: 1 },
  };
  const violation = {
    code: "PurgeLate84",
    message: '=HYPERLINK("http://elsewhere.example","look")',
    since: "2026-11-20T00:00:00.000Z",
    bundleId: "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10",
    container: "bundles-20260828",
  };
  const read = {
    asOf: "2026-11-23T10:00:00.000Z",
    freshAsOf: "2026-11-23T10:00:00.000Z",
    settings: { PURGE_AFTER_DAYS: 80 },
    bundlesByState: { accepted: 2, purged: 1 },
    bytesHeld: 8192,
    daysHeld: 1,
    days: [day],
    violations: [violation],
    consentCoverage: { bundles: 3, covered: 3 },
    accesses: { byPurpose: { troubleshooting: 4 }, outsideSupportCase: 0 },
  };
  const report = async (answer: unknown, ...options: readonly string[]) =>
    audit("report", "--origin", (await answering(answer)).origin, "--token", "good", ...options);

  test("has a line for each day and each violation", async () => {
    const { exitCode, stdout } = await report(read);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^violations +1$/m);
    expect(stdout).toMatch(/^covered by consent +3 of 3$/m);
    expect(stdout).toMatch(/^20261122 +3 +12288 +2 accepted, 1 purged +2027-02-10\S+ +1 erasure$/m);
    expect(stdout).toMatch(/^PurgeLate84 +2026-11-20\S+ +7f1c2a54\S+ +bundles-20260828 +=HYPERLINK/m);
  });

  test("as CSV quotes what a spreadsheet would run", async () => {
    const { exitCode, stdout } = await report(read, "--csv");
    expect(exitCode).toBe(0);
    expect(stdout).toContain('20261122,3,12288,"2 accepted, 1 purged",2027-02-10T00:00:00.000Z,,1 erasure\n');
    expect(stdout).toContain(
      `PurgeLate84,${violation.since},,${violation.bundleId},bundles-20260828,"'=HYPERLINK(""http://elsewhere.example"",""look"")"\n`,
    );
    expect(stdout).not.toMatch(/(^|,)"?[=+@]/m);
  });

  test("of what is no report is none: the exit code is 2, and it says so", async () => {
    for (const answer of [{}, null, { ...read, days: "none" }]) {
      const ran = await report(answer);
      expect(ran).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("than API.md says") });
    }
  });
});
