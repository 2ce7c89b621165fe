/** How much is measured: all of it, or a little to see that everything runs. */

export const mebibyte = 1024 * 1024;

export type Sizes = {
  readonly rounds: number;
  /** Of the two comparisons whose bound is near one. */
  readonly closeRounds: number;
  /** Of fresh processes that load the built file. */
  readonly loadRounds: number;
  /** Creates of one round, by clients that all create at once. */
  readonly crowdedCreates: number;
  /** Of what is uploaded and verified. */
  readonly bundleBytes: number;
  /** Of the bundle whose inventory is taken and whose files are read one at a time. */
  readonly largeBundle: { readonly sizeBytes: number; readonly parts: number; readonly filesPerPart: number };
  /** Of the bundle whose files are listed by page. */
  readonly listedFiles: number;
  /** Of the bundles that are verified for the peak of memory. */
  readonly memoryBytes: readonly number[];
  readonly memoryRounds: number;
  /** Bundles of the full day that is purged. */
  readonly bundlesOfADay: number;
  readonly brokenLineUploads: number;
  readonly brokenLineBytes: number;
  readonly thinLineRounds: number;
  readonly thinLineBytes: number;
  /** Few and many that the retention report is read for. */
  readonly reportedBundles: readonly [number, number];
  /** Events of the export that is verified. */
  readonly exportedEvents: number;
};

export const full: Sizes = {
  rounds: 5,
  closeRounds: 9,
  loadRounds: 15,
  crowdedCreates: 1000,
  bundleBytes: 512 * mebibyte,
  largeBundle: { sizeBytes: 2048 * mebibyte, parts: 40, filesPerPart: 500 },
  listedFiles: 100_000,
  memoryBytes: [512 * mebibyte, 2048 * mebibyte],
  memoryRounds: 3,
  bundlesOfADay: 1000,
  brokenLineUploads: 100,
  brokenLineBytes: 64 * mebibyte,
  thinLineRounds: 3,
  thinLineBytes: 16 * mebibyte,
  reportedBundles: [1000, 100_000],
  exportedEvents: 1_000_000,
};

export const quick: Sizes = {
  rounds: 1,
  closeRounds: 1,
  loadRounds: 2,
  crowdedCreates: 100,
  bundleBytes: 32 * mebibyte,
  largeBundle: { sizeBytes: 64 * mebibyte, parts: 8, filesPerPart: 50 },
  listedFiles: 5000,
  memoryBytes: [32 * mebibyte],
  memoryRounds: 1,
  bundlesOfADay: 20,
  brokenLineUploads: 2,
  brokenLineBytes: 16 * mebibyte,
  thinLineRounds: 1,
  thinLineBytes: 2 * mebibyte,
  reportedBundles: [750, 1500],
  exportedEvents: 20_000,
};

export const inMebibytes = (bytes: number): string =>
  bytes % 1024 ** 3 === 0 ? `${bytes / 1024 ** 3} GiB` : `${Math.round(bytes / mebibyte)} MiB`;
