import { describe, expect, it } from "vitest";
import { accountsOf, isUnresolved, parseSnapshot } from "../../../infra/facts/deployment.ts";
import { soundDeployment, withValue } from "./soundDeployment.ts";

describe("a predicted deployment", () => {
  it("is read from what the compiler wrote", () => {
    const one = { id: "/x", type: "T", name: "x", properties: { a: 1 } };
    expect(parseSnapshot(JSON.stringify({ predictedResources: [one], diagnostics: [] }))).toEqual([one]);
  });

  it.each([["{}"], ['{"predictedResources":[]}'], ['{"predictedResources":[{"id":"/x"}]}'], ["no JSON"]])(
    "is refused where it is something else: %s",
    (text) => {
      expect(() => parseSnapshot(text)).toThrow();
    },
  );

  it("gives each task the account that its setting names", () => {
    const names = Object.entries(accountsOf).map(([task, find]) => [
      task,
      find(soundDeployment).map((one) => one.name),
    ]);
    expect(Object.fromEntries(names)).toEqual({
      host: ["host1"],
      tables: ["state1"],
      queues: ["state1"],
      bundles: ["bundles1"],
    });
  });

  it("gives a task no account where the setting is wrong or missing", () => {
    const broken = withValue("Microsoft.Web/sites/config", "app/appsettings", "properties.BUNDLE_ACCOUNTS", "no JSON");
    expect(accountsOf.bundles(broken)).toEqual([]);
    expect(accountsOf.host([])).toEqual([]);
  });

  it.each([
    ["[reference('identity').clientId]", true],
    ["[format('{0}', 'x')]", true],
    ['[{"name":"bundles1"}]', false],
    ["https://intake.example", false],
  ])("tells an expression from a value: %s", (value, expected) => {
    expect(isUnresolved(value)).toBe(expected);
  });
});
