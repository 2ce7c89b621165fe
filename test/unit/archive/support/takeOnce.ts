import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { openInventory } from "../../../../shared/archive/inventory.ts";
import type { Source } from "../../../../shared/archive/source.ts";
import { zeros } from "./corpus.ts";
import { rawZip } from "./rawZip.ts";
import { virtualZip } from "./virtualZip.ts";
import { counted } from "./zips.ts";

/** A process of its own that takes the inventory of one hostile zip and prints how much memory it took, and what it found. */

const mebibyte = 1024 * 1024;
const million = 1_000_000;
const numbered = (before: string, after: string) => (index: number) =>
  `${before}${String(index).padStart(20, "0")}${after}`;

const makers: Readonly<Record<string, () => Source>> = {
  "a million entries": () => virtualZip(million, numbered("NODE01/WinEvents/Operational-", ".EVTX")),
  "a million entries that may not be listed": () => virtualZip(million, numbered("/", ".EVTX")),
  "a million role zips": () => virtualZip(million, numbered("Storage-", ".zip"), { flags: 0x801 }),
  "a nested bomb of 4 GiB": () =>
    counted(
      rawZip([{ name: "Storage-20270203040506.zip", data: zeros(4096), method: 8, sizeBytes: 4096 * mebibyte - 1 }]),
    ),
};

/** The highest resident set since it was last reset; Linux resets it on demand, the portable number never. */
async function peakBytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}

const source = makers[process.argv[2] ?? ""]?.();
if (source === undefined) throw new Error("Which zip?");
await pause(200);
const idleBytes = await peakBytes();
const taking = await openInventory(source);
const pieceBytes = 8 * mebibyte;
for (let at = 0; at < Math.min(source.sizeBytes, 64 * mebibyte); at += pieceBytes) {
  await taking.take(at, await source.read(at, Math.min(pieceBytes, source.sizeBytes - at)));
}
const { files, warnings } = await taking.finish();
console.log(JSON.stringify({ idleBytes, peakBytes: await peakBytes(), files, warnings }));
