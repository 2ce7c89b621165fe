import { parseArgs } from "node:util";
import { measureAudit } from "./audit.ts";
import { measureBadLines } from "./badLines.ts";
import { measureCrowd } from "./crowd.ts";
import { writeIntoDocument } from "./document.ts";
import { measureFiles } from "./files.ts";
import { measureLoading } from "./loading.ts";
import { machine } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import { countPurge } from "./purge.ts";
import { countRetention } from "./retention.ts";
import { countRoundTrips } from "./roundTrips.ts";
import { full, quick } from "./sizes.ts";
import { openStage } from "./stage.ts";
import { markdown, type Row } from "./table.ts";
import { measureUpload } from "./upload.ts";
import { measureVerification } from "./verification.ts";

/**
 * `npm run bench`: measures everything in one run and prints the table. `-- --quick` only sees that everything runs,
 * `-- --write` puts the table into `docs/performance.md`.
 */

const { values: flags } = parseArgs({ options: { quick: { type: "boolean" }, write: { type: "boolean" } } });
const sizes = flags.quick === true ? quick : full;
const say = (line: string) => console.log(line);

const undo = new AsyncDisposableStack();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    say(`Interrupted by ${signal}`);
    void undo.disposeAsync().finally(() => process.exit(130));
  });
}

try {
  const where = `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`;
  say(where);
  const stage = await openStage(undo);
  const rows: Row[] = [
    ...(await measureUpload(stage, sizes, say)),
    ...(await measureBadLines(stage, sizes, say)),
    ...(await measureVerification(stage, sizes, say)),
    ...(await measureMemory(stage, sizes, say)),
    ...(await countRoundTrips(undo, say)),
    ...(await measureFiles(undo, sizes, say)),
    ...(await measureCrowd(stage, sizes, say)),
    ...(await measureLoading(undo, sizes, say)),
    ...(await countPurge(undo, sizes, say)),
    ...(await countRetention(undo, sizes, say)),
    ...(await measureAudit(undo, sizes, say)),
  ];
  const table = markdown(rows);
  say(`\n${table}`);
  if (flags.write === true) await writeIntoDocument(`${where}\n\n${table}`);
} finally {
  await undo.disposeAsync();
}
