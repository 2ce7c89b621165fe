import * as z from "zod";
import { readOne, type Service } from "./service.ts";
import { alignedLines, csvLines, type Row } from "./table.ts";

/** The retention report (`GET /compliance/retention`) as a table for people, or for their spreadsheet. */

const counts = z.record(z.string(), z.number());
const retention = z.object({
  asOf: z.string(),
  freshAsOf: z.string(),
  reconciledOn: z.string().optional(),
  settings: z.record(z.string(), z.union([z.string(), z.number()])),
  bundlesByState: counts,
  bytesHeld: z.number(),
  oldestByte: z
    .object({ createdOn: z.string(), ageDays: z.number(), stampId: z.string(), bundleId: z.string() })
    .optional(),
  daysHeld: z.number(),
  days: z.array(
    z.object({
      day: z.string(),
      created: z.number(),
      bytes: z.number(),
      byState: counts,
      purgeOn: z.string(),
      purgedOn: z.string().optional(),
      purgedBy: counts,
    }),
  ),
  violations: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      since: z.string(),
      stampId: z.string().optional(),
      bundleId: z.string().optional(),
      container: z.string().optional(),
    }),
  ),
  consentCoverage: z.object({ bundles: z.number(), covered: z.number() }),
  accesses: z.object({ byPurpose: counts, outsideSupportCase: z.number() }),
});
type Retention = z.infer<typeof retention>;

/** Its lines; times are UTC. */
export async function report(service: Service, csv: boolean): Promise<string[]> {
  const read = await readOne(service, "/compliance/retention", retention);
  const tables = [summary(read), days(read), violations(read), settings(read)];
  return tables.flatMap((table, index) => [
    ...(index === 0 ? [] : [""]),
    ...(csv ? csvLines(table) : alignedLines(table)),
  ]);
}

const summary = (read: Retention): Row[] => [
  ["Retention", "value"],
  ["as of", read.asOf],
  ["counted as of", read.freshAsOf],
  ["accounts compared on", read.reconciledOn ?? "never"],
  ["bundles", told(read.bundlesByState)],
  ["bytes held", read.bytesHeld],
  ["days held", read.daysHeld],
  [
    "oldest byte",
    read.oldestByte === undefined ? "none" : `${read.oldestByte.ageDays} days, bundle ${read.oldestByte.bundleId}`,
  ],
  ["covered by consent", `${read.consentCoverage.covered} of ${read.consentCoverage.bundles}`],
  ["accesses", told(read.accesses.byPurpose)],
  ["accesses outside a support case", read.accesses.outsideSupportCase],
  ["violations", read.violations.length],
];

const days = (read: Retention): Row[] => [
  ["Day", "created", "bytes", "states", "purge on", "purged on", "purged by"],
  ...read.days.map(
    ({ day, created, bytes, byState, purgeOn, purgedOn, purgedBy }): Row => [
      day,
      created,
      bytes,
      told(byState),
      purgeOn,
      purgedOn ?? "",
      told(purgedBy),
    ],
  ),
];

const violations = (read: Retention): Row[] => [
  ["Violation", "since", "stamp", "bundle", "container", "message"],
  ...read.violations.map(
    ({ code, since, stampId, bundleId, container, message }): Row => [
      code,
      since,
      stampId ?? "",
      bundleId ?? "",
      container ?? "",
      message,
    ],
  ),
];

const settings = (read: Retention): Row[] => [["Setting", "value"], ...Object.entries(read.settings)];

const told = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ") || "none";
