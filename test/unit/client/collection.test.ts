import { describe, expect, it } from "vitest";
import { optionsUnregistered, optionsWithoutLine, privilegedEndpointCommands } from "../../../client/collection.ts";
import { collectionOptions } from "../../../shared/api/stamps.ts";

/** The flowchart of `DOMAIN.md` where the service cannot be asked. */

const recommendedBy = (options: ReturnType<typeof optionsWithoutLine>) =>
  Object.entries(options).flatMap(([name, { recommended }]) => (recommended ? [name] : []));
const availableBy = (options: ReturnType<typeof optionsWithoutLine>) =>
  Object.entries(options).flatMap(([name, { available }]) => (available ? [name] : []));

describe("the ways of sending", () => {
  it("of a registered stamp without a line: save locally", () => {
    expect(recommendedBy(optionsWithoutLine())).toEqual(["saveLocally"]);
    expect(availableBy(optionsWithoutLine())).toEqual(["saveLocally", "privilegedEndpoint"]);
  });

  it("of a stamp that is not registered: the privileged endpoint and nothing else", () => {
    expect(recommendedBy(optionsUnregistered())).toEqual(["privilegedEndpoint"]);
    expect(availableBy(optionsUnregistered())).toEqual(["privilegedEndpoint"]);
    expect(privilegedEndpointCommands.join("\n")).toMatch(
      /ConfigurationName PrivilegedEndpoint.*\n.*Get-AzureStackLog -OutputSasUri/,
    );
  });

  it("have the contract's shape, and every reason is in words", () => {
    for (const options of [optionsWithoutLine(), optionsUnregistered()]) {
      expect(collectionOptions.parse(options)).toEqual(options);
      for (const { reasons } of Object.values(options)) {
        expect(reasons.length).toBeGreaterThan(0);
        for (const reason of reasons) expect(reason).toMatch(/^[A-Z].+\.$/);
      }
    }
  });
});
