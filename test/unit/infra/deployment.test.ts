import { describe, expect, it } from "vitest";
import { accountsOf, isUnresolved, parseSnapshot } from "../../../infra/facts/deployment.ts";
import { soundDeployment, withSetting } from "./soundDeployment.ts";

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
      find(soundDeployment).map((one) => one.name.replace(/[a-z0-9]{13}$/, "")),
    ]);
    expect(Object.fromEntries(names)).toEqual({
      intakeHost: ["hosti"],
      accessHost: ["hosta"],
      tables: ["state"],
      queues: ["state"],
      bundles: ["bundles1"],
      records: ["records"],
    });
  });

  it("gives a task no account where the setting is wrong or missing", () => {
    const broken = withSetting("intake", "AzureWebJobsStorage__blobServiceUri", "no URL");
    expect(accountsOf.intakeHost(broken)).toEqual([]);
    expect(accountsOf.accessHost([])).toEqual([]);
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
