import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { z } from "zod";

/** Whatever a zip claims, its inventory takes no more memory than verification may: each in a process of its own. */

const measured = z.object({
  idleBytes: z.number(),
  peakBytes: z.number(),
  files: z.number(),
  warnings: z.record(z.string(), z.number()),
});
const mebibyte = 1024 * 1024;
const mostBytes = 128 * mebibyte;

test.each([
  ["a million entries", "tooManyEntries"],
  ["a million entries that may not be listed", "tooManyEntries"],
  ["a million role zips", "tooManyEntries"],
  ["a nested bomb of 4 GiB", "roleZipTooLarge"],
])("%s takes no more than 128 MiB above idle", { timeout: 120_000 }, async (zip, warning) => {
  const script = join(import.meta.dirname, "support", "takeOnce.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, zip]);
  const { idleBytes, peakBytes, files, warnings } = measured.parse(JSON.parse(stdout));
  expect(warnings).toHaveProperty(warning);
  expect(files).toBeLessThanOrEqual(200_000);
  expect(Math.round((peakBytes - idleBytes) / mebibyte)).toBeLessThan(mostBytes / mebibyte);
});
