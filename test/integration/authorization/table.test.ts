import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { withMatrix } from "./table.ts";

it("is kept in docs/authorization.md (npm run docs writes it)", () => {
  const kept = readFileSync(new URL("../../../docs/authorization.md", import.meta.url), "utf8");
  expect(kept).toBe(withMatrix(kept));
});
