import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

/**
 * How far the service goes on paper: published limits, counted round trips, and assumptions that each say that they are one.
 * `node bench/scale-model.ts` prints it, `--write` puts it into `docs/scale.md`; a test finds that page out of date.
 */

const GB = 1e9;
const day = 86_400;
const daysOfMonth = 30;

/** What is assumed of stamps, and why; `docs/scale.md` says more. */
export const assumed = {
  /** An unhealthy stamp collects once a day (`DOMAIN.md`); one in twenty is, on a bad day. */
  proactiveADay: 0.05,
  /** One by hand a month. */
  sendNowADay: 1 / daysOfMonth,
  /** `DOMAIN.md`: a proactive bundle averages about 2 GB. */
  bundleBytes: 2 * GB,
  /** The busiest hour against the mean: a release reaches a continent on one morning. */
  peak: 4,
  /** A bundle lives from creation to purge. */
  daysHeld: 80,
  /** One in fifty is lent, twice over. */
  readsABundle: 0.04,
  /** Bytes a second that one instance copies, reads and hashes: a third of what was measured here on two cores without a network. */
  verifiedBytesPerSecond: 100e6,
  /** Requests a second of one instance, at fifty at once and 0.3 s each. */
  requestsPerInstance: 150,
  logBytesABundle: 350_000,
} as const;

/** Per bundle, over its life. The first three are counted and asserted in `test/integration/operations/roundTrips.test.ts`. */
export const perBundle = {
  /** create 5, submit 6, less the calls to the landing container: making it, and looking at what landed. */
  tableRequestsOfStamp: 5 + 6 - 2,
  /** The stamp asks for the verification three times, each time with a nonce and a head. */
  tableRequestsOfPolling: 3 * 3,
  /** Verdict, links, index rows, folding, purge: written down from reading the code, not counted. */
  tableRequestsOfService: 30,
  /** issue URL 6. */
  tableRequestsOfReading: 6 * assumed.readsABundle,
  /** Blocks of 8 MiB up, ranges of 4 MiB down, and a dozen around them. */
  blobRequests:
    Math.ceil(assumed.bundleBytes / (8 * 1024 ** 2)) + Math.ceil(assumed.bundleBytes / (4 * 1024 ** 2)) + 12,
  blobWrites: Math.ceil(assumed.bundleBytes / (8 * 1024 ** 2)) + 6,
  queueRequests: 6,
  functionRuns: 12,
} as const;

/** Published targets: Microsoft Learn, «Scalability and performance targets» for standard accounts, Table and Queue storage; Flex Consumption. */
export const limits = {
  blobRequestsPerSecond: 20_000,
  /** Bits a second; 60 Gbps in some regions. */
  ingress: 25e9,
  egress: 50e9,
  accountBytes: 5 * 1024 ** 5,
  tableRequestsPerSecond: 20_000,
  partitionRequestsPerSecond: 2_000,
  queueRequestsPerSecond: 2_000,
  /** Of one app. The subscription's quota in a region, 512,000 MB by default, is reached before: 250 instances of 2 GB. */
  instances: 250,
} as const;

/** Shards of the work index: its hottest partition takes one part in so many of its writes (`shared/storage/tables/keys.ts`). */
export const indexShards = 16;
/** Writes to the work index in a bundle's life. */
const indexWrites = 6;

/** List prices in US dollars, West Europe, of 2026: an assumption, for no price list could be cited from here. */
export const prices = {
  gbOfBlobsZrs: 0.023,
  tenThousandBlobWrites: 0.065,
  tenThousandBlobReads: 0.005,
  tenThousandTableRequests: 0.00036,
  gbOfTables: 0.1,
  millionQueueRequests: 0.4,
  gbSecondOfFlex: 0.000026,
  millionRunsOfFlex: 0.4,
  tenThousandSignatures: 0.15,
  gbOfLogs: 2.76,
  privateEndpoint: 7.3,
  natGateway: 33,
} as const;

const privateEndpoints = 6;
const rowBytesABundle = 20_000;

type Limit = { readonly name: string; readonly used: number; readonly of: number };

export type Scale = {
  readonly stamps: number;
  readonly bundlesADay: number;
  /** At the busiest hour, against each limit of one account or one app; the one nearest to it first. */
  readonly limits: readonly Limit[];
  readonly accounts: number;
  readonly instances: number;
  readonly bytesHeld: number;
  readonly costs: Readonly<Record<string, number>>;
};

/** What so many stamps come to. */
export function scaleOf(stamps: number): Scale {
  const bundlesADay = stamps * (assumed.proactiveADay + assumed.sendNowADay);
  const peakPerSecond = (bundlesADay / day) * assumed.peak;
  const bits = peakPerSecond * assumed.bundleBytes * 8;
  const bytesHeld = bundlesADay * assumed.daysHeld * assumed.bundleBytes;
  const tableRequests =
    perBundle.tableRequestsOfStamp +
    perBundle.tableRequestsOfPolling +
    perBundle.tableRequestsOfService +
    perBundle.tableRequestsOfReading;
  const instances =
    peakPerSecond * (assumed.bundleBytes / assumed.verifiedBytesPerSecond) +
    (peakPerSecond * perBundle.functionRuns) / assumed.requestsPerInstance;
  const all: readonly Limit[] = [
    { name: "bytes that a bundle account holds", used: bytesHeld, of: limits.accountBytes },
    { name: "ingress of a bundle account", used: bits, of: limits.ingress },
    { name: "egress of a bundle account (verification)", used: bits * (1 + assumed.readsABundle), of: limits.egress },
    {
      name: "requests of a bundle account",
      used: peakPerSecond * perBundle.blobRequests,
      of: limits.blobRequestsPerSecond,
    },
    {
      name: "requests of the state account's tables",
      used: peakPerSecond * tableRequests,
      of: limits.tableRequestsPerSecond,
    },
    {
      name: "hottest partition (a shard of the work index)",
      used: (peakPerSecond * indexWrites) / indexShards,
      of: limits.partitionRequestsPerSecond,
    },
    {
      name: "the verification queue",
      used: peakPerSecond * perBundle.queueRequests,
      of: limits.queueRequestsPerSecond,
    },
    { name: "instances of intake", used: instances, of: limits.instances },
  ];
  return {
    stamps,
    bundlesADay,
    limits: [...all].sort((one, other) => other.used / other.of - one.used / one.of),
    accounts: Math.max(1, ...all.slice(0, 4).map(({ used, of }) => Math.ceil(used / (of * headroom)))),
    instances: Math.max(1, Math.ceil(instances)),
    bytesHeld,
    costs: costsOf(bundlesADay * daysOfMonth, bytesHeld, tableRequests),
  };
}

/** Accounts are filled to three quarters: a storm, and the 90 days that an account takes to drain. */
const headroom = 0.75;

function costsOf(bundles: number, bytesHeld: number, tableRequests: number): Readonly<Record<string, number>> {
  const verificationSeconds = assumed.bundleBytes / assumed.verifiedBytesPerSecond;
  const flexSeconds = verificationSeconds + perBundle.functionRuns * 0.3;
  const reads = perBundle.blobRequests - perBundle.blobWrites;
  return {
    "bytes held": (bytesHeld / GB) * prices.gbOfBlobsZrs,
    "blob requests":
      (bundles * (perBundle.blobWrites * prices.tenThousandBlobWrites + reads * prices.tenThousandBlobReads)) / 10_000,
    "tables and queues":
      (bundles * tableRequests * prices.tenThousandTableRequests) / 10_000 +
      ((bundles * 24 * rowBytesABundle) / GB) * prices.gbOfTables +
      (bundles * perBundle.queueRequests * prices.millionQueueRequests) / 1e6,
    functions:
      bundles * flexSeconds * 2 * prices.gbSecondOfFlex +
      (bundles * perBundle.functionRuns * prices.millionRunsOfFlex) / 1e6,
    signatures: (bundles * prices.tenThousandSignatures) / 10_000,
    logs: ((bundles * assumed.logBytesABundle) / GB) * prices.gbOfLogs,
    network: privateEndpoints * prices.privateEndpoint + prices.natGateway,
  };
}

export const sizes = [1_000, 100_000, 1_000_000] as const;

/** The figures as text in columns. */
export function report(): string {
  const scales = sizes.map(scaleOf);
  const parts = Object.keys(scales[0]?.costs ?? {});
  const lines: readonly (readonly string[])[] = [
    ["stamps", ...scales.map(({ stamps }) => grouped(stamps))],
    ["bundles a day", ...scales.map(({ bundlesADay }) => grouped(bundlesADay))],
    ["bytes held", ...scales.map(({ bytesHeld }) => `${grouped(bytesHeld / 1e12)} TB`)],
    ["accounts for bundles", ...scales.map(({ accounts }) => String(accounts))],
    ["instances of intake at the peak", ...scales.map(({ instances }) => String(instances))],
    [],
    ["of a limit, at the peak, with one account"],
    ...(scales[2]?.limits ?? []).map(({ name }) => [`  ${name}`, ...scales.map((scale) => shareOf(scale, name))]),
    [],
    ["dollars a month"],
    ...parts.map((part) => [`  ${part}`, ...scales.map(({ costs }) => grouped(costs[part] ?? 0))]),
    ["  together", ...scales.map(({ costs }) => grouped(Object.values(costs).reduce((sum, each) => sum + each, 0)))],
    [
      "  a stamp",
      ...scales.map(({ costs, stamps }) =>
        (Object.values(costs).reduce((sum, each) => sum + each, 0) / stamps).toFixed(2),
      ),
    ],
  ];
  return lines
    .map(([name = "", ...values]) =>
      `${name.padEnd(50)}${values.map((value) => value.padStart(14)).join("")}`.trimEnd(),
    )
    .join("\n");
}

const grouped = (value: number): string => Math.round(value).toLocaleString("en-US");

function shareOf(scale: Scale, name: string): string {
  const limit = scale.limits.find((each) => each.name === name);
  return limit === undefined ? "" : `${((100 * limit.used) / limit.of).toFixed(2)} %`;
}

const page = new URL("../docs/scale.md", import.meta.url);
const block = /(<!-- model: begin -->\n\n```\n)[\s\S]*?(\n```\n\n<!-- model: end -->)/;

/** The page with today's figures in it. */
export const withReport = (text: string): string =>
  text.replace(block, (_, begin: string, end: string) => `${begin}${report()}${end}`);

if (import.meta.main) {
  const { values } = parseArgs({ options: { write: { type: "boolean" } } });
  console.log(report());
  if (values.write === true) writeFileSync(page, withReport(readFileSync(page, "utf8")));
}
