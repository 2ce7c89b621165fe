import { parseArgs } from "node:util";
import { openStages } from "../integration/operations/support/stage.ts";
import { long, simulate } from "./simulate.ts";

/** `npm run soak -- --seed N --days N`: the long simulation; exit code 1 where anything is not as it should be. */

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    days: { type: "string" },
    stamps: { type: "string" },
    bundles: { type: "string" },
  },
});
const wholeNumber = (text: string | undefined, otherwise: number): number => {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`${text} is no whole number above 0.`);
};
const size = {
  ...long,
  seed: wholeNumber(values.seed, 1 + Math.floor(Date.now() % 1_000_000)),
  days: wholeNumber(values.days, long.days),
  stamps: wholeNumber(values.stamps, long.stamps),
  bundles: wholeNumber(values.bundles, long.bundles),
};
console.log(`Seed ${size.seed}: ${size.days} days, ${size.stamps} stamps, about ${size.bundles} bundles`);
const stages = await openStages();
try {
  const { faults, ...told } = await simulate(stages, size, (line) => console.log(line));
  console.log(JSON.stringify(told, undefined, 2));
  for (const fault of faults.slice(0, 50)) console.log(`FAULT ${fault}`);
  console.log(faults.length === 0 ? "All accounts agree." : `${faults.length} faults with --seed ${size.seed}.`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(`Failed. The same again: npm run soak -- --seed ${size.seed} --days ${size.days}`);
  process.exitCode = 1;
} finally {
  await stages.close();
}
