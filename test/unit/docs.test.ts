import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

/** What pages name is there. */

const root = join(import.meta.dirname, "../..");
const pages = [
  "README.md",
  "infra/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join("docs", path)),
];

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(root, page), "utf8");

  it("links to pages that are there", () => {
    const targets = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    for (const target of targets) expect(existsSync(join(root, dirname(page), target)), target).toBe(true);
  });

  it("names tests that are there", () => {
    for (const [, test = ""] of text.matchAll(/`(test\/[\w./-]+\.test\.ts)`/g)) {
      expect(existsSync(join(root, test)), test).toBe(true);
    }
  });
});

it("the threat model names a test in every row of its attacks, or says that there is none", () => {
  const rows = readFileSync(join(root, "docs/security.md"), "utf8")
    .split("\n")
    .filter((line) => /^\|(?:[^|]+\|){3}$/.test(line) && !/^\| *(attack|-)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) expect(row).toMatch(/`test\/[\w./-]+\.test\.ts`|no test/);
});
