import { type CaseNumber, toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { endByLoss, type GrantRecord, grantEnd } from "../../domain/grant.ts";
import { eachInTurn, eachIsolated, mapBounded } from "../bounded.ts";
import { beginClosing } from "../dropBoxes/closeDropBox.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { reconsiderBundles } from "./closedCases.ts";

/** Grants whose end is written in one transaction: each takes three of its hundred entities. */
const grantsPerCommit = 25;

/**
 * Makes show what a change of a case has ended, or time: its grants, its drop boxes, and when its bundles are due by its closing. All of that holds
 * from its own moment on.
 */
export async function settleCase(world: World, caseNumber: CaseNumber): Promise<void> {
  await eachInTurn(
    () => endGrants(world, caseNumber),
    () => closeDropBoxes(world, caseNumber),
    () => reconsiderBundles(world, caseNumber),
  );
}

/**
 * Writes the ends of a case's grants that have ended: by closing, unassigning, time, or the loss of all that they lent. A loss ends nothing else, so
 * that losing one bundle costs the same however many the case has.
 */
export async function endGrants(world: World, caseNumber: CaseNumber): Promise<void> {
  while ((await endSomeGrants(world, caseNumber)) === grantsPerCommit);
}

/** A closed case takes no logs: its boxes give no URL any more, and the sweeper empties them. */
async function closeDropBoxes(world: World, caseNumber: CaseNumber): Promise<void> {
  const record = (await world.cases.head(caseNumber)).state;
  if (record?.state !== "closed") return;
  await eachIsolated(record.dropBoxIds, 8, (id) => beginClosing(world, theService, id, "caseClosed"));
}

const endSomeGrants = ({ cases, clock, stamps }: World, caseNumber: CaseNumber): Promise<number> =>
  transact(
    () => cases.head(caseNumber),
    async (head) => {
      if (head.state === undefined) return 0;
      const now = clock.now();
      const over = await endedGrants({ cases, stamps }, head.state, now);
      if (over.length > 0) {
        await cases.commit(caseNumber, head, { events: over.map(grantEnded), endGrants: over }, now);
      }
      return over.length;
    },
  );

async function endedGrants(world: Pick<World, "cases" | "stamps">, record: CaseRecord, now: Date) {
  const over: GrantRecord[] = [];
  for await (const { item: grantId } of world.cases.activeGrants(record.caseNumber)) {
    if (over.length === grantsPerCommit) break;
    const grant = await world.cases.grant(record.caseNumber, grantId);
    if (grant === undefined) continue;
    const end = grantEnd(grant, record, now) ?? endByLoss(await lentBundles(world, grant), now);
    if (end !== undefined) over.push({ ...grant, ended: end });
  }
  return over;
}

const lentBundles = (world: Pick<World, "stamps">, grant: GrantRecord) =>
  mapBounded(grant.bundles, 8, async ({ stampId, bundleId, stampEpoch }) => ({
    stampEpoch,
    bundle: await world.stamps.bundle(stampId, bundleId),
    stamp: (await world.stamps.head(stampId)).state,
  }));

export const grantEnded = (grant: GrantRecord): NewEvent => ({
  type: "grant.ended",
  actor: theService,
  data: {
    caseNumber: grant.caseNumber,
    grantId: grant.grantId,
    grantee: grant.grantee,
    reason: grant.ended?.reason ?? "expired",
    endedOn: grant.ended?.on ?? grant.expiresOn,
  },
});

/** Call before the commit that may end grants; run what it gives after it. */
export async function settleCaseSoon(
  world: World,
  before: CaseRecord | undefined,
  after: CaseRecord,
): Promise<() => Promise<void>> {
  const ends =
    before !== undefined &&
    (before.state !== after.state ||
      before.assignees.some(
        (was) => !after.assignees.some((is) => is.subjectId === was.subjectId && is.epoch === was.epoch),
      ));
  if (!ends) return async () => {};
  return await soon(world, [after.caseNumber], settleCase);
}

/** Ends the grants that lose a bundle, or several of a stamp, with it. Call before the commit that says so; run what it gives after it. */
export async function endGrantsSoon(
  world: World,
  lost: readonly Pick<BundleRecord, "links">[],
): Promise<() => Promise<void>> {
  const cases = new Set(lost.flatMap(({ links }) => links.map(({ caseNumber }) => caseNumber)));
  return await soon(world, [...cases], endGrants);
}

/** A look at each of the cases, which the sweeper takes where we die first. */
async function soon(
  world: World,
  caseNumbers: readonly CaseNumber[],
  settle: (world: World, caseNumber: CaseNumber) => Promise<void>,
): Promise<() => Promise<void>> {
  const now = world.clock.now();
  const looks = caseNumbers.map((caseNumber) => ({ kind: "case", caseNumber, dueOn: toUtcTime(now) }) as const);
  for (const look of looks) await world.schedule.remember(look, now);
  return async () => {
    for (const look of looks) {
      try {
        await settle(world, look.caseNumber);
        await world.schedule.forget(look);
      } catch (error) {
        world.log.error("case.settleLater", error, { caseNumber: look.caseNumber });
      }
    }
  };
}
