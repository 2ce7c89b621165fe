import type { AccessApproval, ApprovalDecision } from "../../api/approvals.ts";
import type { StampId } from "../../api/primitives.ts";
import { setApproval } from "../../domain/approval.ts";
import { type Condition, isConditional, requireCondition } from "../../domain/etag.ts";
import type { NewEvent } from "../../domain/event.ts";
import { subjectId } from "../../domain/people.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { actorOf, type Caller, type StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { operatorOf } from "../operator.ts";
import { requireStamp, requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";

type Needs = Pick<World, "clock" | "people" | "stamps">;

/** Records whether access to the stamp's bundles needs its operator's approval, from now on. Equal to the standing decision: nothing new. */
export async function setAccessApproval(
  world: Needs,
  caller: StampCaller,
  said: ApprovalDecision,
  condition: Condition,
): Promise<AccessApproval> {
  const { stamps, clock } = world;
  const { stampId } = caller;
  const decidedBy = await operatorOf(world, stampId, said.decidedBy);
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const standing = requireWriter(head, caller, clock);
      if (isConditional(condition)) requireCondition(condition, await approvalView(world, standing));
      const now = clock.now();
      const stamp = setApproval(standing, { mode: said.mode, decidedBy }, now);
      if (stamp === undefined) return await approvalView(world, standing);
      const event: NewEvent = {
        type: "stamp.accessApprovalSet",
        actor: actorOf(caller),
        data: { stampId, mode: said.mode, decidedBy },
      };
      await stamps.commit(stampId, head, { sender: stamp, events: [event] }, now);
      return { mode: said.mode, decidedBy: said.decidedBy, decidedOn: stamp.accessApproval.decidedOn };
    },
    caller.head,
  );
}

export async function readAccessApproval(world: Needs, caller: Caller, stampId: StampId): Promise<AccessApproval> {
  return await approvalView(
    world,
    requireStamp(caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId)),
  );
}

async function approvalView(world: Needs, { accessApproval }: StampRecord): Promise<AccessApproval> {
  if (accessApproval === undefined) return { mode: "notRequired" };
  const { mode, decidedOn, decidedBy } = accessApproval;
  const operator = await world.people.whois(subjectId.parse(decidedBy));
  return { mode, decidedOn, ...(operator === undefined ? {} : { decidedBy: operator.identity }) };
}
