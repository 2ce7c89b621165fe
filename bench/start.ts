import { parseArgs } from "node:util";
import { writeIntoDocument } from "./document.ts";
import { machine } from "./machine.ts";
import { parts } from "./parts.ts";
import { full, quick } from "./sizes.ts";
import { openStage } from "./stage.ts";
import { markdown } from "./table.ts";

/**
 * `npm run bench`: measures everything, or the parts that are named, and prints a table of each. `-- --quick` only sees that everything runs,
 * `-- --write` puts each table into `docs/performance.md` as soon as it is measured.
 */

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, write: { type: "boolean" } },
});
const sizes = flags.quick === true ? quick : full;
const say = (line: string) => console.log(line);
const named = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = named.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  say(`There is no part ${unknown.join(", ")}. Parts: ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

const undo = new AsyncDisposableStack();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    say(`Interrupted by ${signal}`);
    void undo.disposeAsync().finally(() => process.exit(130));
  });
}

try {
  const where = `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`;
  const stage = await openStage(undo);
  for (const [name, measure] of Object.entries(parts)) {
    if (!named.includes(name)) continue;
    const table = `${where}\n\n${markdown(await measure({ stage, undo, sizes, say }))}`;
    say(`\n${table}\n`);
    if (flags.write === true) await writeIntoDocument(name, table);
  }
} finally {
  await undo.disposeAsync();
}
