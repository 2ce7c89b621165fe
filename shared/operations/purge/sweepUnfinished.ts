import type { UtcTime } from "../../api/primitives.ts";
import { theService } from "../../domain/event.ts";
import { finishApproval } from "../approvals/finishApproval.ts";
import { eachIsolated } from "../bounded.ts";
import { settleBundle } from "../bundles/settleBundle.ts";
import { settleStamp } from "../bundles/settleStamp.ts";
import { finishLink } from "../cases/links.ts";
import { settleCase } from "../cases/settleCase.ts";
import { finishReceipt } from "../consents/receipts.ts";
import { settleDropBox } from "../dropBoxes/settleDropBox.ts";
import { isAccountMissing, type Unfinished, type World } from "../needs.ts";
import { finishForgetting } from "../people/forgetPerson.ts";

/**
 * Finishes what was begun: verifications that failed on our side, uploads that ended, endings not yet visible. What fails keeps nothing else from
 * being done, is tried again at the next run, and fails this one at its end.
 */
export async function sweepUnfinished(world: World): Promise<void> {
  await eachIsolated(world.schedule.due(world.clock.now()), 8, async (work) => {
    try {
      await finish(world, work);
    } catch (error) {
      // Nothing can be finished on an account that is not configured, which the reconciler reports.
      if (isAccountMissing(error)) return;
      world.log.error("sweep.failed", error, { ...work });
      throw error;
    }
  });
}

async function finish(world: World, work: Unfinished): Promise<void> {
  switch (work.kind) {
    case "upload":
      return await finishUpload(world, work);
    case "probe":
      await world.landing.delete(work.account, work.landing);
      return await world.schedule.forget(work);
    case "dropBox":
      return await settleDropBox(world, work);
    case "stamp":
      await settleStamp(world, work.stampId);
      return await forgetOnceOld(world, work);
    case "case":
      await settleCase(world, work.caseNumber);
      return await forgetOnceOld(world, work);
    case "approval":
      await finishApproval(world, work.caseNumber, work.grantId);
      return await forgetOnceOld(world, work);
    case "link":
      await finishLink(world, theService, work);
      return await forgetOnceOld(world, work);
    case "receipt":
      return void (await finishReceipt(world, work));
    case "person":
      await finishForgetting(world, work.subjectId);
      return await world.schedule.forget(work);
  }
}

/** A look is remembered before the commit that it is for, which takes seconds: one that came by in between looks again. */
const longestCommitMs = 60_000;

async function forgetOnceOld(world: World, work: Unfinished & { readonly dueOn: UtcTime }): Promise<void> {
  const isOld = Date.parse(work.dueOn) + longestCommitMs < world.clock.now().getTime();
  if (isOld) await world.schedule.forget(work);
}

/** A landing container that no bundle's row names belongs to a create that died: nobody has a URL for it. */
async function finishUpload(world: World, work: Extract<Unfinished, { kind: "upload" }>): Promise<void> {
  const bundle = await world.stamps.bundle(work.stampId, work.bundleId);
  if (bundle?.landing === work.landing) {
    await settleBundle(world, work.stampId, work.bundleId);
    return;
  }
  await world.landing.delete(work.account, work.landing);
  await world.schedule.forget(work);
}
