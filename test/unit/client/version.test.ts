import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { clientVersion, userAgent } from "../../../client/version.ts";

it("the client calls itself by the version of package.json", () => {
  const path = new URL("../../../package.json", import.meta.url);
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, "utf8")));
  expect(clientVersion).toBe(version);
  expect(userAgent).toBe(`stamp-intake-client/${version}`);
});
