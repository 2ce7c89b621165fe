import { TableClient } from "@azure/data-tables";
import { toUtcTime } from "../../shared/api/primitives.ts";
import { dayContainerName } from "../../shared/domain/containers.ts";
import { type NewEvent, theService } from "../../shared/domain/event.ts";
import { utcDay } from "../../shared/domain/utcDay.ts";
import { DomainError } from "../../shared/errors.ts";
import { HeadMoved } from "../../shared/operations/needs.ts";
import type { FoundBundle } from "./judgement.ts";
import { count, type Simulation, type Size, streamOf } from "./simulation.ts";

/** What changes in the middle of a season: settings of retention, and what stands in the work index that this version does not know. */

const dayMs = 86_400_000;

/** Days after the closing of its cases when a bundle is due, in each third of the season; undefined: off. Every other seed ends with it off. */
function closingDays({ seed, days }: Size): readonly (number | undefined)[] {
  const long = Math.max(2, Math.round(days / 6));
  const short = Math.ceil(long / 2);
  return seed % 2 === 0 ? [long, short, undefined] : [undefined, long, short];
}

/** How many days earlier bundles are purged in the second half. */
const shortenedBy = 3;

const dayOf = (start: Date, now: number): number => Math.floor((now - start.getTime()) / dayMs);

export function settingsOn(size: Size, now: Date): Record<string, string> {
  const day = dayOf(size.start, now.getTime());
  const closing = closingDays(size)[Math.min(2, Math.floor((3 * day) / size.days))];
  const isSecondHalf = day >= size.days / 2;
  return {
    PURGE_AFTER_DAYS: String(size.purgeAfterDays - (isSecondHalf ? shortenedBy : 0)),
    METADATA_RETENTION_DAYS: "90",
    ...(closing === undefined ? {} : { PURGE_AFTER_CASE_CLOSE_DAYS: String(closing) }),
  };
}

/** When a bundle of that day may be due by age: of the day on which the setting changes either date holds. */
export function ageDates(size: Size, createdOn: string): readonly number[] {
  const midnight = Date.parse(`${createdOn.slice(0, 10)}T00:00:00Z`);
  const day = dayOf(size.start, midnight);
  const long = midnight + size.purgeAfterDays * dayMs;
  const short = long - shortenedBy * dayMs;
  const changeDay = Math.ceil(size.days / 2);
  if (day === changeDay) return [short, long];
  return [day < changeDay ? long : short];
}

/** What is wrong at the end with the dates that accepted bundles show, by the settings that are in force then. */
export function faultsOfDates({ size, time }: Simulation, bundles: ReadonlyMap<string, FoundBundle>): string[] {
  const accepted = [...bundles.values()].filter(({ state }) => state === "accepted");
  const isOff = closingDays(size)[2] === undefined;
  const now = time.now().getTime();
  const datesOfDays = Map.groupBy(
    accepted.filter(({ createdOn, purgeOn }) => ageDates(size, createdOn).includes(Date.parse(purgeOn))),
    ({ createdOn }) => createdOn.slice(0, 10),
  );
  return [
    ...accepted
      .filter(({ createdOn, purgeOn }) => isOff && !ageDates(size, createdOn).includes(Date.parse(purgeOn)))
      .map(({ bundleId, purgeOn }) => `bundle ${bundleId}: due on ${purgeOn} by its cases, and that setting is off`),
    ...accepted
      .filter(({ purgeOn }) => Date.parse(purgeOn) <= now)
      .map(({ bundleId, purgeOn }) => `bundle ${bundleId}: accepted, and its date ${purgeOn} is over`),
    ...[...datesOfDays]
      .filter(([, same]) => new Set(same.map(({ purgeOn }) => purgeOn)).size > 1)
      .map(([day]) => `day ${day} has two dates of deletion`),
  ];
}

/** Puts rows into the work index as a later version may write them, and keeps them there. */
export function writeUnknownRows(simulation: Simulation): void {
  const { stage, time } = simulation;
  time.live(async () => {
    const chance = streamOf(simulation, "unknown rows");
    await time.pass(chance.hours(24));
    const table = TableClient.fromConnectionString(stage().connectionString, "schedule", {
      allowInsecureConnection: true,
    });
    for (let shard = 0; shard < 16; shard += 1) {
      const name = String(shard).padStart(2, "0");
      const expire = `expire!${utcDay(time.now())}!${name}`;
      for (const partitionKey of [`unfinished!${name}`, `early!${name}`, expire, "days"]) {
        const row = { partitionKey, rowKey: `!unknown${name}`, v: 1, json0: '{"kind":"unknown"}' };
        await table.upsertEntity({ ...row, dueOn: "2020-01-01T00:00:00.000Z" }, "Replace");
      }
    }
    count(simulation, "unknown rows");
  });
}

/** What a restore leaves behind of an account that was drained and taken out of the settings: its day is held again, and the ledger says that it is gone. */
export function restoreRemovedAccount(simulation: Simulation): void {
  const { stage, time } = simulation;
  time.live(async () => {
    const chance = streamOf(simulation, "removed account");
    await time.pass(48 + chance.hours(24));
    const { schedule, service } = stage().app.world;
    const now = time.now();
    const place = { day: utcDay(now), account: "drained" };
    const data = { container: dayContainerName(place.day), ...place };
    const events: NewEvent[] = (["container.purgeIntended", "container.purged"] as const).map((type) => ({
      type,
      actor: theService,
      data,
    }));
    const container = { ...place, intendedOn: toUtcTime(now), deletedOn: toUtcTime(now) };
    await untilDone(
      simulation,
      async () => void (await service.commit(await service.head(), { events, container }, now)),
    );
    await untilDone(simulation, () => schedule.holdDay({ ...place, purgeOn: toUtcTime(now) }));
    count(simulation, "day of a removed account");
  });
}

/** Storage may be out of reach, and somebody else may write the partition. */
async function untilDone({ time }: Simulation, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isPassing =
        error instanceof HeadMoved || (error instanceof DomainError && error.code === "ServiceUnavailable");
      if (!isPassing) throw error;
    }
    await time.pass(1);
  }
}
