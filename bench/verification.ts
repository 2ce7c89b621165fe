import { randomUUID } from "node:crypto";
import type { BundleLocation } from "../shared/domain/containers.ts";
import { downloadAndForget } from "./reading/download.ts";
import { blobOf, land, openAccount, place, randomBlocks } from "./reading/place.ts";
import { alternate, contender, medians, ratios, timed } from "./rounds.ts";
import { inMebibytes, type Sizes } from "./sizes.ts";
import type { Stage } from "./stage.ts";
import { type Row, ratioRow } from "./table.ts";

/** Reading and hashing a bundle as verification does it, and the copy before that, against reading it for nothing. */
export async function measureVerification(
  { connectionString }: Stage,
  { bundleBytes, closeRounds, rounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  const size = inMebibytes(bundleBytes);
  say(`Verifying ${size}`);
  const account = openAccount(connectionString);
  const landed = await land(connectionString, randomBlocks(bundleBytes));
  const placed = await place(account, landed);
  const blob = blobOf(connectionString, placed.at);

  const verification = contender("read and hash", () => timed(() => account.readAndHash(placed.at, placed.version)));
  const download = contender("download", () => timed(() => downloadAndForget(blob, bundleBytes)));
  const copy = contender("copy", async () => {
    let at: BundleLocation = { ...placed.at, bundleId: randomUUID() };
    const time = await timed(async () => ({ at } = await place(account, landed)));
    await account.deleteBundle(at);
    return time;
  });
  await alternate([verification, download], closeRounds, say);
  const again = contender("download", download.run);
  await alternate([copy, again], rounds, say);
  return [
    ratioRow(
      `verification of ${size}: read and hash, without the copy ÷ parallel ranged download that throws the bytes away`,
      ratios(verification, download),
      medians(verification, download),
      { atMost: 1.3 },
    ),
    ratioRow(`copy of ${size} into the day's container ÷ the same download`, ratios(copy, again), medians(copy, again)),
  ];
}
