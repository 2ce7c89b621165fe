import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { alerts } from "../../../infra/alerts.ts";

/** Alerts, the runbook and azure.yaml name what is there. */

const root = join(import.meta.dirname, "../../..");
const textOf = (path: string) => readFileSync(join(root, path), "utf8");
const sources = readdirSync(join(root, "shared"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => textOf(join("shared", path)))
  .join("\n");
const timers = readdirSync(join(root, "functions/timer")).map((file) => file.replace(".ts", ""));

/** As GitHub makes anchors of headings. */
const anchors = (page: string): readonly string[] =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );

const registered = z
  .object({ intake: z.array(z.string()), access: z.array(z.string()) })
  .parse(JSON.parse(textOf("infra/functions.json")));

describe.each(alerts)("the alert $name", ({ name, query }) => {
  it("asks for a function in the app that registers it, by the app's name", () => {
    for (const [, word = ""] of query.matchAll(/'(\w+)'/g)) {
      for (const app of ["intake", "access"] as const) {
        const other = app === "intake" ? "access" : "intake";
        if (!registered[app].includes(word) || registered[other].includes(word)) continue;
        expect(query, word).toContain(`AppRoleName startswith 'func-${app}-'`);
      }
    }
  });

  it("has its section in the runbook, which says what to do", () => {
    expect(anchors(textOf("docs/runbook.md"))).toContain(name);
  });

  it("asks for what the service says: its events, codes and timers", () => {
    const words = [...query.matchAll(/'([^']+)'/g)].map(([, word = ""]) => word);
    const events = words.filter((word) => /^[a-z]+\.[A-Za-z]+$/.test(word));
    for (const event of events) expect(sources, event).toContain(`"${event}"`);
    for (const code of words.filter((word) => /^[A-Z]/.test(word))) {
      expect(sources, code).toMatch(new RegExp(`"${code}"|${code.replace(/\d+$/, "")}\\$\\{`));
    }
    for (const timer of words.filter((word) => /^[a-z][A-Za-z]+$/.test(word))) expect(timers).toContain(timer);
    expect(words.length + query.length).toBeGreaterThan(0);
  });
});

it("what the service says aloud is told to somebody", () => {
  const said = [...sources.matchAll(/log\.alert\(\s*"([^"]+)"/g)].map(([, event = ""]) => event);
  expect(said.length).toBeGreaterThan(0);
  for (const event of said)
    expect(
      alerts.some(({ query }) => query.includes(`'${event}'`)),
      event,
    ).toBe(true);
});

it("a finding of the reconciler falls to one alert: those that have their own are left out of the rest", () => {
  const codesOf = (name: string) =>
    [...(alerts.find((each) => each.name === name)?.query ?? "").matchAll(/'([A-Z]\w+)'/g)].map(([, code]) => code);
  expect(codesOf("reconciler-findings").sort()).toEqual(
    [...codesOf("purge-late"), ...codesOf("purge-very-late")].sort(),
  );
});

it("every timer is watched", () => {
  const queries = alerts.map(({ query }) => query).join("\n");
  for (const timer of timers) expect(queries, timer).toContain(`'${timer}'`);
});

it("logs that alerts ask for are not sampled away", () => {
  expect(textOf("host.json")).toContain('"excludedTypes": "Request;Exception;Trace"');
});

describe("azure.yaml", () => {
  const named = [...textOf("azure.yaml").matchAll(/^\s*(project|run): (\S+)$/gm)].map(([, key, path = ""]) => ({
    key,
    path,
  }));

  it("names projects and hooks that are there", () => {
    expect(named.map(({ key }) => key)).toEqual(["project", "project", "run"]);
    for (const { path } of named) expect(existsSync(join(root, path)), path).toBe(true);
  });

  it("has a service for each app", () => {
    const services = [...textOf("azure.yaml").matchAll(/^ {2}(\w+):.*\n {4}project/gm)].map(([, name]) => name);
    expect(services).toEqual(["intake", "access"]);
  });

  it("deploys what the package holds", () => {
    const { main } = z.object({ main: z.string() }).parse(JSON.parse(textOf("package.json")));
    expect(textOf(".funcignore").split("\n")).toEqual(
      expect.arrayContaining(["/*", "!/host.json", "!/package.json", `!/${main}`, `!/${dirname(main)}/parts`]),
    );
  });
});
