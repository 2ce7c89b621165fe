import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

test("the demo plays to its end, every claim held, and leaves nothing behind", { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "stamp-demo-test-"));
  try {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../../local/demo/demo.ts")], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    expect(complained).toBe("");
    expect(said).toMatch(/All \d+ claims held/);
    expect(child.exitCode).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
