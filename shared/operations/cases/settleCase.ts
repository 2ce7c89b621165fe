import type { CaseNumber } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { endByLoss, type GrantRecord, grantEnd } from "../../domain/grant.ts";
import { mapBounded } from "../bounded.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { reconsiderBundles } from "./closedCases.ts";

/** Grants whose end is written in one transaction: each takes three of its hundred entities. */
const grantsPerCommit = 25;

/**
 * Writes the ends of a case's grants that have ended: by closing, unassigning, time, or the loss of all that they lent. They are dead from the moment of that; this makes it
 * show. Gives when to look again, or undefined where no grant is active any more.
 */
export async function settleCase(
  world: Pick<World, "clock" | "cases" | "stamps">,
  caseNumber: CaseNumber,
): Promise<Date | undefined> {
  const { cases, clock } = world;
  for (;;) {
    const outcome = await transact(
      () => cases.head(caseNumber),
      async (head) => {
        if (head.state === undefined) return { ended: 0, next: undefined };
        const now = clock.now();
        const { over, next } = await endedGrants(world, head.state, now);
        if (over.length === 0) return { ended: 0, next };
        await cases.commit(caseNumber, head, { events: over.map(grantEnded), endGrants: over }, now);
        return { ended: over.length, next };
      },
    );
    if (outcome.ended < grantsPerCommit) return outcome.next;
  }
}

async function endedGrants(world: Pick<World, "cases" | "stamps">, record: CaseRecord, now: Date) {
  const over: GrantRecord[] = [];
  let next: Date | undefined;
  for await (const { item: grantId } of world.cases.activeGrants(record.caseNumber)) {
    if (over.length === grantsPerCommit) break;
    const grant = await world.cases.grant(record.caseNumber, grantId);
    if (grant === undefined) continue;
    const end = grantEnd(grant, record, now) ?? endByLoss(await lentBundles(world, grant), now);
    if (end !== undefined) over.push({ ...grant, ended: end });
    else if (next === undefined || Date.parse(grant.expiresOn) < next.getTime()) next = new Date(grant.expiresOn);
  }
  return { over, next };
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
  const { caseNumber } = after;
  return await settleCasesOf(world, { links: [{ caseNumber }] });
}

/** Settles the case and looks again when its next grant expires. */
export async function settleCaseAndRemember(world: World, caseNumber: CaseNumber): Promise<void> {
  const next = await settleCase(world, caseNumber);
  await reconsiderBundles(world, caseNumber);
  const work = { kind: "case", caseNumber } as const;
  if (next === undefined) await world.schedule.forget(work);
  else await world.schedule.remember(work, next);
}

/** The cases that a bundle is linked to, for when it is lost to them. Call before the commit that says so; run what it gives after it. */
export async function settleCasesOf(
  world: World,
  bundle: { readonly links: readonly Pick<BundleRecord["links"][number], "caseNumber">[] },
): Promise<() => Promise<void>> {
  const numbers = bundle.links.map((link) => link.caseNumber);
  for (const caseNumber of numbers) await world.schedule.remember({ kind: "case", caseNumber }, world.clock.now());
  return async () => {
    for (const caseNumber of numbers) {
      try {
        await settleCaseAndRemember(world, caseNumber);
      } catch (error) {
        world.log.error("case.settleLater", error, { caseNumber });
      }
    }
  };
}
