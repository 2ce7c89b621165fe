import { randomUUID } from "node:crypto";
import { gather } from "../local/demo/people.ts";
import { getRetention } from "../shared/operations/compliance/retention.ts";
import { holdBundles } from "../test/integration/operations/support/heldBundles.ts";
import { openCountedApp, openGround } from "./counting/countedApp.ts";
import type { Sizes } from "./sizes.ts";
import { newStamp } from "./stage.ts";
import type { Row } from "./table.ts";

/** How often the retention report asks storage, for few and for many bundles that are held over the same days. */

const [stampCount, days] = [10, 75];

export async function countRetention(
  undo: AsyncDisposableStack,
  { reportedBundles: [few, many] }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  const [ofFew, ofMany] = [await callsFor(undo, few, say), await callsFor(undo, many, say)];
  return [
    {
      what: `storage round trips of the retention report, for ${few.toLocaleString("en")} and for ${many.toLocaleString("en")} bundles of the same ${days} days`,
      value: `${ofFew} and ${ofMany}`,
      detail: `counted once, after a fold; bundles partly synthetic, of ${stampCount} stamps; asserted for fewer in \`test/integration/compliance/retention.test.ts\``,
      target: { words: "the same, within 10 %", met: Math.abs(ofMany - ofFew) <= ofFew / 10 },
    },
  ];
}

/** Each on storage of its own. Throws where the report does not count them all. */
async function callsFor(undo: AsyncDisposableStack, bundles: number, say: (line: string) => void): Promise<number> {
  say(`Reporting on ${bundles} bundles`);
  await using mine = new AsyncDisposableStack();
  undo.defer(() => mine.disposeAsync());
  const ground = await openGround(mine);
  const { app, origin, watching } = await openCountedApp(mine, ground);
  const { registration } = await gather(origin, ground.folder, randomUUID());
  const stamps: string[] = [];
  while (stamps.length < stampCount) stamps.push((await newStamp(origin, registration)).stampId);
  await holdBundles(app, stamps, bundles, days);
  await app.timers.foldLedger();
  let counted: number | undefined;
  const calls = await watching(async () => {
    counted = (await getRetention(app.world)).bundlesByState.accepted;
  });
  if (counted !== bundles) throw new Error(`The report counts ${counted} bundles of ${bundles}`);
  return calls.length;
}
