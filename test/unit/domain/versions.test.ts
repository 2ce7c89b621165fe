import { describe, expect, it } from "vitest";
import { isOlder } from "../../../shared/domain/versions.ts";

describe("a version is older", () => {
  it.each([
    ["1.2008.40.149", "1.2102.30.132", true],
    ["1.2102.30.132", "1.2008.40.149", false],
    ["1.2501.1.47", "1.2501.1.47", false],
    ["1.2501.1.47", "1.2501.1.48", true],
    ["1.2501.9.0", "1.2501.10.0", true],
    ["0.9.9", "0.10.0", true],
    ["1.0", "1.0.0", false],
    ["1.0", "1.0.1", true],
  ])("%s than %s: %s", (version, oldest, older) => {
    expect(isOlder(version, oldest)).toBe(older);
  });
});
