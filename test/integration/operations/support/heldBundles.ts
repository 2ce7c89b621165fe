import { randomUUID } from "node:crypto";
import { bundleId, stampId as stampIdSchema, toUtcTime } from "../../../../shared/api/primitives.ts";
import type { App } from "../../../../shared/app.ts";
import type { NewEvent } from "../../../../shared/domain/event.ts";
import { dayPurgeOn } from "../../../../shared/domain/retention.ts";
import { utcDay } from "../../../../shared/domain/utcDay.ts";
import { eachBounded } from "../../../../shared/operations/bounded.ts";

/**
 * More bundles than can be sent one by one, as the retention report finds them: in the ledger, in the work index and, once folded, in the rollups,
 * written by the service's own storage layer. Synthetic: one event tells of a bundle that is accepted at once; it has no row and no bytes.
 */

const dayMs = 86_400_000;
/** A transaction takes a hundred rows. */
const eventsPerCommit = 90;

/** Spreads them evenly over the stamps and over as many days up to today: as many bundles as stamps times days leave none empty. */
export async function holdBundles(app: App, stamps: readonly string[], bundles: number, days: number): Promise<void> {
  await eachBounded(stamps.entries(), 4, async ([index, stampId]) => {
    const own = Math.ceil((bundles - index) / stamps.length);
    for (let day = 0; day < days; day += 1) {
      await holdOfDay(
        app,
        stampId,
        Math.ceil((own - day) / days),
        new Date(app.world.clock.now().getTime() - day * dayMs),
      );
    }
  });
}

async function holdOfDay({ world }: App, stamp: string, count: number, on: Date): Promise<void> {
  const stampId = stampIdSchema.parse(stamp);
  const day = utcDay(on);
  const held = Array.from({ length: count }, () => ({ stampId, bundleId: bundleId.parse(randomUUID()) }));
  const account = world.landing.place(stampId, "Europe");
  await world.schedule.holdDay({ day, account, purgeOn: dayPurgeOn(day, world.rules.purgeAfterDays) });
  await eachBounded(held, 8, (bundle) => world.schedule.expire({ ...bundle, createdOn: toUtcTime(on) }));
  let head = await world.stamps.head(stampId);
  for (let from = 0; from < count; from += eventsPerCommit) {
    const events = held.slice(from, from + eventsPerCommit).map(
      (bundle): NewEvent => ({
        type: "bundle.created",
        actor: { kind: "stamp", id: stampId },
        data: { ...bundle, day, sizeBytes: 4096, toState: "accepted", decisionId: randomUUID() },
      }),
    );
    head = await world.stamps.commit(stampId, head, { events }, on);
  }
}
