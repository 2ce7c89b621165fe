import type { AccessRequest } from "../../api/approvals.ts";
import type { StampId } from "../../api/primitives.ts";
import type { RequestRecord } from "../../domain/approval.ts";
import { grantEnd } from "../../domain/grant.ts";
import { subjectId } from "../../domain/people.ts";
import type { Caller } from "../caller.ts";
import { nameOfEngineer } from "../nameOfEngineer.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, sieve } from "../paging.ts";
import { noSuchRequest, requireStamp } from "../refusals.ts";

type Needs = Pick<World, "cases" | "clock" | "people" | "stamps">;

/** What waits for the operator's answer, oldest first. */
export async function listRequests(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  page: PageRequest,
): Promise<PageResult<AccessRequest>> {
  requireStamp(caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId));
  return await sieve(world.stamps.openRequests(stampId, page.after), page.top, async ({ item }) => {
    const request = await world.stamps.request(stampId, item);
    const view = request && (await requestView(world, caller, request));
    return view?.state === "pending" ? view : undefined;
  });
}

/** What was asked of a stamp, to that stamp or an auditor; the engineer's words are shown, for the customer decides on them. */
export async function requestView(world: Needs, caller: Caller, request: RequestRecord): Promise<AccessRequest> {
  const { grantId, caseNumber, stampId, requestedOn, answer } = request;
  const [head, grant] = await Promise.all([world.cases.head(caseNumber), world.cases.grant(caseNumber, grantId)]);
  if (head.state === undefined || grant?.approval === undefined) throw noSuchRequest();
  const [justification, engineer, operator] = await Promise.all([
    world.cases.note(caseNumber, grant.justificationNote),
    nameOfEngineer(world, caller, stampId, grant.grantee),
    answer && world.people.whois(subjectId.parse(answer.decidedBy)),
  ]);
  const isOver = grantEnd(grant, head.state, world.clock.now()) !== undefined;
  const bundles = grant.bundles.filter((each) => each.stampId === stampId);
  return {
    grantId,
    caseNumber,
    purpose: grant.purpose,
    engineer,
    ...(justification === undefined ? {} : { justification: justification.text }),
    bundles: bundles.map(({ bundleId }) => ({ stampId, bundleId })),
    ...(grant.roles === undefined ? {} : { roles: grant.roles }),
    durationMinutes: grant.durationMinutes,
    requestedOn,
    lapsesOn: grant.approval.lapsesOn,
    state: answer?.outcome === "denied" ? "denied" : isOver ? "ended" : (answer?.outcome ?? "pending"),
    ...(answer === undefined ? {} : { decidedOn: answer.on }),
    ...(operator === undefined ? {} : { decidedBy: operator.identity }),
  };
}
