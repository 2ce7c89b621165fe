import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BlobClient } from "@azure/storage-blob";
import { rawZip } from "../test/unit/archive/support/rawZip.ts";
import { type LargeBundle, oneFile, oneFileBytes, partName, writeLargeBundle } from "./files/largeBundle.ts";
import { bytesIn, type Desk, type LentBundle, lend, openDesk, overlapIn, rangesRead } from "./files/lentBundle.ts";
import { downloadAndForget } from "./reading/download.ts";
import { alternate, contender, medians, ratios, timed } from "./rounds.ts";
import { inMebibytes, type Sizes } from "./sizes.ts";
import { type Row, ratioRow } from "./table.ts";

/** What it costs to know what is in a large bundle, and to read one file of it. */

export async function measureFiles(
  undo: AsyncDisposableStack,
  sizes: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  await using mine = new AsyncDisposableStack();
  undo.defer(() => mine.disposeAsync());
  const desk = await openDesk(mine);
  return [
    ...(await ofStoredParts(desk, sizes, say)),
    ...(await ofDeflatedParts(desk, sizes, say)),
    await ofManyFiles(desk, sizes, say),
  ];
}

async function ofStoredParts(desk: Desk, sizes: Sizes, say: (line: string) => void): Promise<Row[]> {
  const { bundle, zip } = await send(desk, sizes, false, say);
  const read = bytesIn(bundle.readOf(bundle.verifying));
  const file = await bundle.listed(pathIn(1));
  const extracting = await desk.watching(() => bundle.extract(pathIn(1)));
  return [
    countRow(
      `inventory of ${nameOf(sizes)}, role zips stored: bytes read ÷ its directories and end records`,
      // The one pass leaves out the bundle's own directory, which is read before it and kept.
      read - (bundle.sizeBytes - zip.ownDirectoryBytes),
      zip.ownDirectoryBytes + sizes.largeBundle.parts * zip.partDirectoryBytes,
      { bound: 1.1, note: "counted on the wire: what verification reads beside its one pass over the bundle" },
    ),
    countRow(
      `one file of 1 MiB out of ${nameOf(sizes)}, role zip stored: bytes read ÷ its compressed size and the directories that it is in`,
      bytesIn(rangesRead(extracting, ofDay)),
      file.compressedBytes + zip.ownDirectoryBytes + zip.partDirectoryBytes,
      { bound: 1.2, note: withInventory },
    ),
    await timesOf(bundle, sizes, say),
  ];
}

async function ofDeflatedParts(desk: Desk, sizes: Sizes, say: (line: string) => void): Promise<Row[]> {
  const { bundle, zip } = await send(desk, sizes, true, say);
  const reads = bundle.readOf(bundle.verifying);
  const part = await bundle.listed(partName(1));
  const extracting = await desk.watching(() => bundle.extract(pathIn(1)));
  const twice = overlapIn(reads);
  return [
    {
      what: `verification of ${nameOf(sizes)} with its inventory, role zips deflated: bytes read ÷ its size`,
      value: (bytesIn(reads) / bundle.sizeBytes).toFixed(6),
      detail: `counted on the wire: ${reads.length} ranges, ${twice.toLocaleString("en")} bytes read twice`,
      target: { words: "1, none twice", met: bytesIn(reads) === bundle.sizeBytes && twice === 0 },
    },
    countRow(
      `one file of 1 MiB out of ${nameOf(sizes)}, role zip deflated: bytes read ÷ the role zip's compressed size and the directories`,
      bytesIn(rangesRead(extracting, ofDay)),
      part.compressedBytes + zip.ownDirectoryBytes + zip.partDirectoryBytes,
      { bound: 1.2, note: `${withInventory}; the file is the last of its role zip` },
    ),
  ];
}

/** Every file is taken out once only: the next ask for it would be served from the first. */
async function timesOf(bundle: LentBundle, { largeBundle, rounds }: Sizes, say: (line: string) => void): Promise<Row> {
  let next = 1;
  const extraction = contender("one file", () =>
    timed(async () => {
      next += 1;
      const { url = "" } = await bundle.extract(pathIn(next));
      const { byteLength } = await (await fetch(url)).arrayBuffer();
      if (byteLength !== oneFileBytes) throw new Error(`The file has ${byteLength} bytes`);
    }),
  );
  const whole = new BlobClient(await bundle.wholeUrl());
  const download = contender("whole bundle", () => timed(() => downloadAndForget(whole, bundle.sizeBytes)));
  await alternate([download, extraction], rounds, say);
  return ratioRow(
    `one file of 1 MiB out of ${inMebibytes(largeBundle.sizeBytes)}, role zip stored: downloading the bundle, in parallel ranges, ÷ \`files:extract\` and reading the file by its URL`,
    ratios(download, extraction),
    medians(download, extraction),
    { atLeast: 50 },
  );
}

/** Entries without bytes of their own: what counts is how many there are. */
async function ofManyFiles(desk: Desk, { listedFiles }: Sizes, say: (line: string) => void): Promise<Row> {
  say(`Listing ${listedFiles} files`);
  const names = Array.from({ length: listedFiles }, (_, file) => `SAC14-S1/WinEvents/Operational-${file}.EVTX`);
  const path = join(desk.ground.folder, "AzureStackLogs-20240927104305-FILES-ERCS01.zip");
  await writeFile(path, rawZip(names.map((name, file) => ({ name, ...(file === 0 ? {} : { headerOffset: 0 }) }))));
  const bundle = await lend(desk, path);
  const trips: number[] = [];
  let query: string | undefined = "top=1000";
  for (let pages = 0; pages < 3 && query !== undefined; pages++) {
    const asked = query;
    const calls = await desk.watching(async () => {
      const { value, nextLink } = await bundle.page(asked);
      if (value.length !== 1000) throw new Error(`The page has ${value.length} files`);
      query = nextLink;
    });
    trips.push(calls.length);
  }
  const most = Math.max(...trips);
  return {
    what: `storage round trips of a page of 1,000 files out of ${listedFiles.toLocaleString("en")}`,
    value: String(most),
    detail: `the most of the first ${trips.length} pages; asserted in \`test/integration/files/roundTrips.test.ts\``,
    target: { words: "≤ 7", met: most <= 7 },
  };
}

async function send(
  desk: Desk,
  { largeBundle }: Sizes,
  deflatesParts: boolean,
  say: (line: string) => void,
): Promise<{ bundle: LentBundle; zip: LargeBundle }> {
  say(`A bundle of ${inMebibytes(largeBundle.sizeBytes)}, role zips ${deflatesParts ? "deflated" : "stored"}`);
  const path = join(desk.ground.folder, "AzureStackLogs-20240927104305-BENCH-ERCS01.zip");
  const zip = await writeLargeBundle(path, { ...largeBundle, deflatesParts });
  return { bundle: await lend(desk, path), zip };
}

const nameOf = ({ largeBundle: { sizeBytes, parts, filesPerPart } }: Sizes): string =>
  `${inMebibytes(sizeBytes)} with ${(parts * filesPerPart).toLocaleString("en")} files`;

const pathIn = (part: number): string => `${partName(part)}/${oneFile}`;

const withInventory = "counted on the wire, the inventory beside the bundle among them";

/** What lies in a day's container: bundles, and their inventories beside them. */
const ofDay = (url: string): boolean => /\/bundles-\d{8}\//.test(url);

function countRow(
  what: string,
  read: number,
  needed: number,
  of: { readonly bound: number; readonly note: string },
): Row {
  const ratio = read / needed;
  return {
    what,
    value: ratio.toFixed(3),
    detail: `${of.note}; ${read.toLocaleString("en")} ÷ ${needed.toLocaleString("en")} bytes`,
    target: { words: `≤ ${of.bound.toFixed(2)}`, met: ratio <= of.bound },
  };
}
