import { expect, test } from "vitest";
import { z } from "zod";
import { expectStatus } from "../../support/system/expectations.ts";
import { rawZip } from "../../unit/archive/support/rawZip.ts";
import { useStages } from "../operations/support/stage.ts";
import { lentBundle } from "./support.ts";

/** What looking at files costs, counted at the storage clients' pipelines. */

const stages = useStages();

const page = z.object({ value: z.array(z.object({ path: z.string() })), nextLink: z.string().optional() });

test("a page of 1,000 out of 100,000 files takes at most 7 round trips: six that ask the rules, one that reads", {
  timeout: 180_000,
}, async () => {
  const stage = stages();
  const names = Array.from({ length: 100_000 }, (_, file) => `NODE01/WinEvents/Operational-${file}.EVTX`);
  const [first, ...others] = names;
  const zip = rawZip([{ name: first ?? "" }, ...others.map((name) => ({ name, headerOffset: 0 }))]);
  const { call } = await lentBundle(stage, zip);
  await call("GET", "/files", undefined, { top: "1" });
  const seen: string[] = [];
  let query: Record<string, string> = { top: "1000" };
  for (let pages = 0; pages < 3; pages++) {
    const { result, calls } = await stage.faults.watching(() => call("GET", "/files", undefined, query));
    const { value, nextLink } = page.parse(expectStatus(result, 200).json);
    expect(value).toHaveLength(1000);
    expect(calls.length, JSON.stringify(calls)).toBeLessThanOrEqual(7);
    seen.push(...value.map(({ path }) => path));
    query = { top: "1000", skipToken: new URL(nextLink ?? "").searchParams.get("skipToken") ?? "" };
  }
  expect(seen).toEqual(names.toSorted().slice(0, 3000));
});
