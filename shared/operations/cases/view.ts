import type { Grant, SupportCase } from "../../api/cases.ts";
import { requestOfGrant } from "../../domain/approval.ts";
import { type CaseRecord, isAssigned } from "../../domain/case.ts";
import { type GrantRecord, grantEnd, isPending } from "../../domain/grant.ts";
import type { SubjectId } from "../../domain/people.ts";
import { mapBounded } from "../bounded.ts";
import type { Caller } from "../caller.ts";
import type { CaseHead, World } from "../needs.ts";
import { noSuchCase } from "../refusals.ts";

/** An engineer knows only the cases assigned to them; to any other they do not exist. */
export function requireKnown(head: CaseHead, caller: Caller): CaseRecord {
  const record = head.state;
  const knows =
    caller.kind === "token" && (caller.role !== "E" || (record !== undefined && isAssigned(record, caller.subject)));
  if (record === undefined || !knows) throw noSuchCase();
  return record;
}

/** People with the right to see a case see object ids; one who was forgotten stays a subject id. */
const objectId = async (world: Pick<World, "people">, subject: SubjectId): Promise<string> =>
  (await world.people.whois(subject))?.identity ?? subject;

export async function caseView(world: Pick<World, "people" | "cases">, record: CaseRecord): Promise<SupportCase> {
  const {
    titleNote,
    dropBoxIds: _dropBoxIds,
    openEpoch: _openEpoch,
    assigneeEpoch: _assigneeEpoch,
    assignees,
    ...shown
  } = record;
  const [people, title] = await Promise.all([
    mapBounded(assignees, 16, (each) => objectId(world, each.subjectId)),
    titleNote === undefined ? undefined : world.cases.note(record.caseNumber, titleNote),
  ]);
  return { ...shown, assignees: people, ...(title === undefined ? {} : { title: title.text }) };
}

/** What everyone who may see a grant sees of it alike. */
export function grantFacts(
  grant: GrantRecord,
  record: CaseRecord,
  now: Date,
): Omit<Grant, "grantee" | "justification"> {
  const { grantId, caseNumber, purpose, startsOn, expiresOn } = grant;
  const ended = grantEnd(grant, record, now);
  return {
    grantId,
    caseNumber,
    state: ended !== undefined ? "ended" : isPending(grant) ? "pendingApproval" : "active",
    purpose,
    bundles: grant.bundles.map(({ stampId, bundleId }) => ({ stampId, bundleId })),
    ...(grant.roles === undefined ? {} : { roles: grant.roles }),
    startsOn,
    expiresOn,
    ...(ended === undefined ? {} : { ended }),
    ...(grant.approval === undefined ? {} : { approval: grant.approval }),
  };
}

export async function grantView(
  world: Pick<World, "people" | "cases" | "stamps">,
  grant: GrantRecord,
  record: CaseRecord,
  now: Date,
): Promise<Grant> {
  const { ended, ...facts } = grantFacts(grant, record, now);
  const [grantee, justification, denial] = await Promise.all([
    objectId(world, grant.grantee),
    world.cases.note(grant.caseNumber, grant.justificationNote),
    ended?.reason === "denied" ? denialOf(world, grant) : undefined,
  ]);
  return {
    ...facts,
    ...(ended === undefined ? {} : { ended: { ...ended, ...(denial === undefined ? {} : { message: denial }) } }),
    grantee,
    ...(justification === undefined ? {} : { justification: justification.text }),
  };
}

/** What the operator who denied it wrote, as long as that is remembered: the engineer should know why, to ask better or not at all. */
async function denialOf({ stamps }: Pick<World, "stamps">, grant: GrantRecord): Promise<string | undefined> {
  for (const stampId of grant.approval?.stampIds ?? []) {
    const answer = requestOfGrant(grant, await stamps.request(stampId, grant.grantId))?.answer;
    if (answer?.outcome !== "denied" || answer.reasonNote === undefined) continue;
    return (await stamps.note(stampId, answer.reasonNote))?.text;
  }
  return undefined;
}
