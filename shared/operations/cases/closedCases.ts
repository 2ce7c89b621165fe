import { type CaseNumber, toUtcTime, type UtcTime } from "../../api/primitives.ts";
import { type BundleRecord, bundleFacts } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { dayMs } from "../../domain/retention.ts";
import { eachIsolated, mapBounded } from "../bounded.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";

/**
 * Purge by case closed (`PURGE_AFTER_CASE_CLOSE_DAYS`, off unless set): a bundle is due so many days after the last of its cases closed. Reopening
 * one, or linking it to an open one, takes the reason back; its age stays a reason.
 */

type Needs = Pick<World, "cases" | "clock" | "rules" | "schedule" | "stamps">;

/** When the last of the bundle's cases closed, and so many days; undefined while one is open, or where this is off. */
async function dueByClosing(world: Needs, bundle: BundleRecord): Promise<UtcTime | undefined> {
  const days = world.rules.purgeAfterCaseCloseDays;
  if (days === undefined || bundle.links.length === 0) return undefined;
  const cases = await mapBounded(bundle.links, 8, ({ caseNumber }) => world.cases.head(caseNumber));
  const closed = cases.map((head) => (head.state?.state === "closed" ? head.state.closedOn : undefined));
  if (closed.includes(undefined)) return undefined;
  const last = Math.max(...closed.map((on) => Date.parse(on ?? "")));
  return toUtcTime(new Date(last + days * dayMs));
}

/** Asked once more right before such a deletion: a case may have been reopened since the bundle's row was written. */
export async function closedForLongEnough(world: Needs, bundle: BundleRecord, now: Date): Promise<boolean> {
  const due = await dueByClosing(world, bundle);
  return due !== undefined && Date.parse(due) <= now.getTime();
}

/** Writes on each of the case's bundles when it is due by closing now. */
export async function reconsiderBundles(world: Needs, caseNumber: CaseNumber): Promise<void> {
  if (world.rules.purgeAfterCaseCloseDays !== undefined) await bringAllUpToDate(world, caseNumber);
}

/** The same whether the setting is on or off. One bundle that fails leaves the others to be written. */
export const bringAllUpToDate = (world: Needs, caseNumber: CaseNumber): Promise<void> =>
  eachIsolated(world.cases.links(caseNumber), 8, ({ item }) => bringUpToDate(world, item));

/** After a change of its links. Where the setting is off, what it left behind is for `closingRule.ts` to take back. */
export async function reconsiderBundle(world: Needs, place: BundlePlace): Promise<void> {
  if (world.rules.purgeAfterCaseCloseDays !== undefined) await bringUpToDate(world, place);
}

type BundlePlace = Pick<BundleRecord, "stampId" | "bundleId">;

/** Writes on the bundle when it is due by closing under the setting in force. */
export async function bringUpToDate(world: Needs, { stampId, bundleId }: BundlePlace): Promise<void> {
  const { clock, schedule, stamps } = world;
  await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined || bundle.purge !== undefined) return;
      const due = await dueByClosing(world, bundle);
      if (due === bundle.caseClosedDueOn) return;
      const { caseClosedDueOn: _former, ...rest } = bundle;
      const next = due === undefined ? rest : { ...rest, caseClosedDueOn: due };
      const event: NewEvent = {
        type: "bundle.purgeReconsidered",
        actor: theService,
        data: { ...bundleFacts(bundle), ...(due === undefined ? {} : { caseClosedDueOn: due }) },
      };
      if (due !== undefined) await schedule.purgeEarlyAt({ stampId, bundleId, basis: "caseClosed", dueOn: due });
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, clock.now());
    },
  );
}
