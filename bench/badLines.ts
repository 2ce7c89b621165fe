import { stat } from "node:fs/promises";
import { join } from "node:path";
import { awaitVerdict, openLine, type StampApi, sendBundle, stampApi, uploadMemory } from "../client/index.ts";
import { startFaultProxy } from "../test/support/lines/faultProxy.ts";
import { through } from "../test/support/lines/through.ts";
import { writeBundle } from "./bundleZip.ts";
import { openThinLine } from "./lines/thinLine.ts";
import { spread, timed } from "./rounds.ts";
import { inMebibytes, mebibyte, type Sizes } from "./sizes.ts";
import { type Stage, sentNow } from "./stage.ts";
import { type Row, ratioRow } from "./table.ts";

/** The client on lines as stamps have them: one that breaks all the time, and one that is thin. */

export async function measureBadLines(stage: Stage, sizes: Sizes, say: (line: string) => void): Promise<Row[]> {
  return [await overBrokenLine(stage, sizes, say), await overThinLine(stage, sizes, say)];
}

const faults = { meanBytesBetweenCuts: 64 * mebibyte, refusedShare: 0.05, stalledShare: 0.001 };
const seed = 5;

/** Bytes that crossed the line ÷ bytes of the bundles, over all uploads. */
async function overBrokenLine(stage: Stage, sizes: Sizes, say: (line: string) => void): Promise<Row> {
  const { brokenLineUploads: uploads, brokenLineBytes: bytes } = sizes;
  say(`${uploads} uploads of ${inMebibytes(bytes)} over a line that breaks`);
  const path = join(stage.folder, "broken.zip");
  await writeBundle(path, bytes);
  await using proxy = await startFaultProxy(seed, faults);
  const exchange = through(openLine({ longestSilenceMs: 10_000 }), () => proxy.origin);
  const stamp = over(stage.stamp, exchange);
  const shares: number[] = [];
  for (let sent = 0; sent < uploads; sent += 1) {
    const before = proxy.counts.bodyBytes;
    await sendWhole(stage, stamp, path, 4 * mebibyte);
    shares.push((proxy.counts.bodyBytes - before) / bytes);
    if ((sent + 1) % 10 === 0) say(`  ${sent + 1} of ${uploads}: ${JSON.stringify(proxy.counts)}`);
  }
  const { bodyBytes, cut, refused, stalled } = proxy.counts;
  const { least, most } = spread(shares);
  const detail = `of one upload; ${uploads} of ${uploads} accepted; ${cut} cuts, ${refused} times 503, ${stalled} stalls`;
  const median = bodyBytes / (uploads * bytes);
  return ratioRow(
    `${uploads} uploads of ${inMebibytes(bytes)} over a line that breaks, blocks of at most 4 MiB: bytes sent ÷ bytes needed, all together`,
    { median, least, most },
    detail,
    { atMost: 1.1 },
  );
}

const fiveMbps = 5_000_000 / 8;
const roundTripMs = 40;

/** The time from create to the acknowledged submit ÷ the time that the line takes for the bundle's bytes alone. */
async function overThinLine(stage: Stage, sizes: Sizes, say: (line: string) => void): Promise<Row> {
  const bytes = sizes.thinLineBytes;
  say(`${inMebibytes(bytes)} over a line of 5 Mbps`);
  const path = join(stage.folder, "thin.zip");
  await writeBundle(path, bytes);
  await using undo = new AsyncDisposableStack();
  const origins = [stage.stamp.service.origin, stage.blobOrigin];
  const line = await openThinLine(undo, origins, { bytesPerSecond: fiveMbps, roundTripMs });
  const stamp = over(stage.stamp, through(openLine(), line.placeFor));
  const idealMs = (bytes * 1000) / fiveMbps;
  const ratios: number[] = [];
  for (let round = 0; round < sizes.thinLineRounds; round += 1) {
    const before = line.sentBytes();
    const elapsedMs = await sendWhole(stage, stamp, path);
    const extraBytes = line.sentBytes() - before - bytes;
    ratios.push(elapsedMs / idealMs);
    say(
      `  ${(elapsedMs / 1000).toFixed(2)} s ÷ ${(idealMs / 1000).toFixed(2)} s, ${extraBytes} bytes of headers and calls`,
    );
  }
  return ratioRow(
    `upload of ${inMebibytes(bytes)} over 5 Mbps with ${roundTripMs} ms of round trip (simulated): client ÷ the line's limit`,
    spread(ratios),
    `${(idealMs / 1000).toFixed(2)} s at the limit`,
    { atMost: 1.03 },
  );
}

const over = ({ service, stampId }: StampApi, exchange: StampApi["service"]["exchange"]): StampApi =>
  stampApi({ ...service, exchange, retry: { tries: 14, firstDelayMs: 100, longestDelayMs: 5_000 } }, stampId);

/** Sends it up to the acknowledged submit, and gives the milliseconds; the verdict is asked for over a good line, and not counted. */
async function sendWhole(stage: Stage, stamp: StampApi, path: string, blockSizeBytes?: number): Promise<number> {
  const description = await sentNow(stage.stamp);
  const memory = uploadMemory(join(stage.folder, "uploads"));
  let bundleId = "";
  const time = await timed(async () => {
    ({ bundleId } = (await sendBundle(stamp, path, description, { memory, wait: false, blockSizeBytes })).bundle);
  });
  const bundle = await awaitVerdict(stage.stamp, bundleId);
  const { size } = await stat(path);
  if (bundle.state !== "accepted" || bundle.sizeBytes !== size) throw new Error(`The bundle is ${bundle.state}`);
  return time;
}
