import * as z from "zod";
import { bundleId, caseNumber, grantId, guid, stampId, utcTime } from "../../api/primitives.ts";
import { subjectId } from "../../domain/people.ts";
import { type UtcDay, utcDaySchema } from "../../domain/utcDay.ts";
import type { EarlyPurge, Expiry, HeldDay, Log, Schedule, Unfinished } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { shardOf, shards } from "./keys.ts";
import type { Touch } from "./ledger.ts";
import type { PartitionsRange, Range, Table, Unreadable } from "./table.ts";

/**
 * Table `schedule`: the work index. `unfinished!<shard>` what is not finished and when to look at it, `expire!<day>!<shard>` the bundles of a
 * day of creation, `early!<shard>` deletions that wait for a time of their own, `days` the day containers there are, `dates` when each day is deleted, `touched!<day>!<shard>` which partitions changed.
 */

const unfinished = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("upload"), stampId, bundleId, account: z.string(), landing: z.string() }),
  z.object({ kind: z.literal("probe"), stampId, account: z.string(), landing: z.string() }),
  z.object({ kind: z.literal("dropBox"), stampId, account: z.string(), container: z.string() }),
  z.object({ kind: z.literal("stamp"), stampId, dueOn: utcTime }),
  z.object({ kind: z.literal("case"), caseNumber, dueOn: utcTime }),
  z.object({ kind: z.literal("approval"), caseNumber, grantId, dueOn: utcTime }),
  z.object({ kind: z.literal("link"), caseNumber, stampId, bundleId, dueOn: utcTime }),
  z.object({
    kind: z.literal("receipt"),
    stampId,
    decisionId: guid,
    decidedOn: utcTime,
    seq: z.int(),
    hash: z.string(),
  }),
  z.object({ kind: z.literal("person"), subjectId, dueOn: utcTime }),
]);
const expiry = z.object({ stampId, bundleId, createdOn: utcTime });
const heldDay = z.object({ day: utcDaySchema, account: z.string(), purgeOn: utcTime });
const earlyPurge = z.object({ stampId, bundleId, basis: z.enum(["erasure", "caseClosed"]), dueOn: utcTime });
const date = z.object({ purgeOn: utcTime });
const touched = z.object({ partition: z.string() });

function ownerOf(work: Unfinished): string {
  if ("stampId" in work) return work.stampId;
  return "caseNumber" in work ? work.caseNumber : work.subjectId;
}

function unfinishedKey(work: Unfinished): string {
  switch (work.kind) {
    case "upload":
      return `upload!${work.landing}`;
    case "probe":
      return `probe!${work.landing}!${work.account}`;
    case "dropBox":
      return `dropBox!${work.container}`;
    case "stamp":
      return `stamp!${work.stampId}!${work.dueOn}`;
    case "case":
      return `case!${work.caseNumber}!${work.dueOn}`;
    case "approval":
      return `approval!${work.caseNumber}!${work.grantId}!${work.dueOn}`;
    case "link":
      return `link!${work.caseNumber}!${work.stampId}!${work.bundleId}!${work.dueOn}`;
    case "receipt":
      return `receipt!${work.stampId}!${work.decisionId}`;
    case "person":
      return `person!${work.subjectId}!${work.dueOn}`;
  }
}

const unfinishedIn = (shard: string) => `unfinished!${shard}`;
const earlyIn = (shard: string) => `early!${shard}`;
/** Each wish has a row of its own, so that whoever forgets an earlier one leaves a later one standing. */
const earlyKey = (of: EarlyPurge) => `${of.stampId}!${of.bundleId}!${of.basis}!${of.dueOn}`;
const touchedPrefix = "touched!";
const touchedOn = (day: string) => `${touchedPrefix}${day}!`;
const touchedIn = (day: string, shard: string) => `${touchedOn(day)}${shard}`;
const touchedKey = (partition: string) => partition.replace("/", "!");
const expireIn = (day: UtcDay, shard: string) => `expire!${day}!${shard}`;
const dayOf = (of: Pick<Expiry, "createdOn">) => utcDaySchema.parse(of.createdOn.slice(0, 10).replaceAll("-", ""));
const expiryKey = (of: Expiry) => `${of.createdOn}!${of.stampId}!${of.bundleId}`;
const heldKey = (held: HeldDay) => `${held.day}!${held.account}`;
const daysPartition = "days";
const datesPartition = "dates";

export function openSchedule(table: Table, log: Pick<Log, "alert">): Schedule & { readonly touch: Touch } {
  // One bad row keeps nobody else's work from being done: it is alerted and left out.
  const skip: Unreadable = (place) => log.alert("row.unreadable", { table: "schedule", ...place });
  const scan = <T extends z.ZodType>(range: Range, schema: T) => table.scan(range, schema, skip);
  const scanAcross = <T extends z.ZodType>(range: PartitionsRange, schema: T) => table.scanAcross(range, schema, skip);

  async function* inEveryShard<T extends z.ZodType>(partitionOf: (shard: string) => string, schema: T, dueBy?: Date) {
    for (const shard of shards) {
      const range = {
        partition: partitionOf(shard),
        prefix: "",
        ...(dueBy === undefined ? {} : { dueBy: dueBy.toISOString() }),
      };
      for await (const { item } of scan(range, schema)) yield item;
    }
  }

  return {
    touch: (partition, day) =>
      table.put(toEntity(touchedIn(day, shardOf(partition)), touchedKey(partition), { partition })).then(() => {}),

    remember: async (work, dueOn) => {
      const columns = { dueOn: dueOn.toISOString() };
      await table.put(toEntity(unfinishedIn(shardOf(ownerOf(work))), unfinishedKey(work), work, columns));
    },
    forget: (work) => table.remove(unfinishedIn(shardOf(ownerOf(work))), unfinishedKey(work)),
    due: (now) => inEveryShard(unfinishedIn, unfinished, now),

    expire: async (of) => void (await table.put(toEntity(expireIn(dayOf(of), shardOf(of.stampId)), expiryKey(of), of))),
    unexpire: (of) => table.remove(expireIn(dayOf(of), shardOf(of.stampId)), expiryKey(of)),
    expiring: (day) => inEveryShard((shard) => expireIn(day, shard), expiry),
    oldestExpiring: async (day) => {
      const firsts = await Promise.all(
        shards.map((shard) => first(scan({ partition: expireIn(day, shard), prefix: "", pageSize: 1 }, expiry))),
      );
      return firsts.filter((each) => each !== undefined).sort((a, b) => a.createdOn.localeCompare(b.createdOn))[0];
    },

    holdDay: async (held) => {
      const row = toEntity(daysPartition, heldKey(held), held);
      if (await table.insert(row)) return;
      const standing = await table.read(daysPartition, heldKey(held), heldDay);
      const isEarlier = standing === undefined || Date.parse(held.purgeOn) < Date.parse(standing.value.purgeOn);
      if (isEarlier) await table.put(row);
    },
    releaseDay: (held) => table.remove(daysPartition, heldKey(held)),
    heldDays: () => items(scan({ partition: daysPartition, prefix: "" }, heldDay)),

    purgeEarlyAt: async (work) =>
      void (await table.put(toEntity(earlyIn(shardOf(work.stampId)), earlyKey(work), work, { dueOn: work.dueOn }))),
    forgetEarly: (work) => table.remove(earlyIn(shardOf(work.stampId)), earlyKey(work)),
    earlyDue: (now) => inEveryShard(earlyIn, earlyPurge, now),
    early: async function* (after = "") {
      const [afterShard = "", afterKey] = after.split("/");
      for (const shard of shards) {
        if (shard < afterShard) continue;
        const place = shard === afterShard ? { after: afterKey } : {};
        const rows = scan({ partition: earlyIn(shard), prefix: "", ...place }, earlyPurge);
        for await (const { cursor, item } of rows) yield { cursor: `${shard}/${cursor}`, item };
      }
    },

    fixPurgeOn: async (day, purgeOn) => {
      const standing = await table.read(datesPartition, day, date);
      if (standing !== undefined) return standing.value.purgeOn;
      if (await table.insert(toEntity(datesPartition, day, { purgeOn }))) return purgeOn;
      return (await table.read(datesPartition, day, date))?.value.purgeOn ?? purgeOn;
    },

    // One range over days and shards: it costs what changed, not the days since.
    touchedSince: async function* (kind, day) {
      const range = { partitionsFrom: touchedOn(day), partitionsPrefix: touchedPrefix, prefix: touchedKey(`${kind}/`) };
      for await (const { partition } of items(scanAcross(range, touched))) yield partition;
    },
  };
}

async function* items<T>(rows: AsyncIterable<{ item: T }>): AsyncGenerator<T> {
  for await (const { item } of rows) yield item;
}

async function first<T>(rows: AsyncIterable<{ item: T }>): Promise<T | undefined> {
  for await (const { item } of rows) return item;
  return undefined;
}
