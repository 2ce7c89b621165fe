import { expect, test } from "vitest";
import { log, withSink } from "../../shared/log.ts";

function lineOf(work: () => void): string {
  const lines: string[] = [];
  withSink((_level, line) => void lines.push(line), work);
  return lines.join("\n");
}

test("[invariant 9] no line of an error's message brings a signature into the log, nor does its cause's", () => {
  const secret = "https://x.blob.example/landing/bundle.zip?sv=2026&sig=SECRET%3D";
  const cause = new Error(`Copy failed.\n${secret}\nRequestId: 1`);
  const line = lineOf(() => log.error("copy.failed", new Error(`It failed:\n${secret}`, { cause })));
  expect(line).toContain("It failed");
  expect(line).toContain("log.test.ts");
  expect(line).not.toContain("SECRET");
});
