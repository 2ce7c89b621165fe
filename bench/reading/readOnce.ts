import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { openInventory } from "../../shared/archive/inventory.ts";
import { utcDaySchema } from "../../shared/domain/utcDay.ts";
import { openAccount } from "./place.ts";

/** A process of its own that verifies one bundle's bytes once, takes its inventory, and prints how much memory it took. */

const bundle = z.object({
  at: z.object({ day: utcDaySchema, stampId: z.string(), bundleId: z.string() }),
  version: z.object({ etag: z.string(), sizeBytes: z.number() }),
});

/** The highest resident set so far. Linux keeps it by process image; the portable number may hold what was before `exec`. */
async function peakBytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}

const { at, version } = bundle.parse(JSON.parse(process.env.BENCH_BUNDLE ?? ""));
const account = openAccount(process.env.BENCH_STORAGE ?? "");
// One call first, so that what any call needs (sockets, the SDK's pipeline) is idle's.
await account.copyState(at);
await pause(500);
const idleBytes = process.memoryUsage.rss();
const taking = await openInventory(account.content(at, version));
await account.readAndHash(at, version, taking);
const { files } = await taking.finish();
console.log(JSON.stringify({ idleBytes, peakBytes: await peakBytes(), files }));
