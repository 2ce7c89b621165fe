import { randomUUID } from "node:crypto";
import * as z from "zod";
import { caseKind, caseState, endReason } from "../../api/cases.ts";
import { bundleId, caseNumber, dropBoxId, grantId, purpose, stampId, utcTime } from "../../api/primitives.ts";
import { type CaseRecord, updateCase } from "../../domain/case.ts";
import type { ChainedEvent } from "../../domain/event.ts";
import type { GrantRecord } from "../../domain/grant.ts";
import { subjectId } from "../../domain/people.ts";
import type { CaseChange } from "../needs.ts";

/** What each event of a case's partition says of its rows. */

type Rows = { readonly case: CaseRecord | undefined; readonly grant: GrantRecord | undefined };
type Change = Omit<CaseChange, "events">;

const updated = z.object({
  caseNumber,
  revision: z.int(),
  kind: caseKind,
  state: caseState,
  stampIds: z.array(stampId),
  assignees: z.array(subjectId),
});
const given = z.object({
  caseNumber,
  grantId,
  grantee: subjectId,
  purpose,
  bundles: z.array(z.string()),
  roles: z.array(z.string()).optional(),
  startsOn: utcTime,
  expiresOn: utcTime,
  durationMinutes: z.int().optional(),
  justificationDigest: z.string().optional(),
});
const endedGrant = z.object({ reason: endReason, endedOn: utcTime });
const link = z.object({ stampId, bundleId });

/** The grant that the event is about. */
export const grantOf = ({ data }: ChainedEvent) => z.object({ grantId }).safeParse(data).data?.grantId;

/** Throws where the event cannot follow what stands. */
export function caseChange(event: ChainedEvent, standing: Rows): Change {
  const { type, data, on } = event;
  switch (type) {
    case "case.updated":
    case "case.closed":
    case "case.reopened": {
      const { caseNumber: number, ...said } = updated.parse(data);
      return { case: updateCase(number, standing.case, { ...said, titleNote: undefined }, new Date(on)).case };
    }
    case "grant.activated":
      if (standing.grant !== undefined) return { activateGrant: approved(event, standing.grant) };
      return { insertGrant: activated(event, requireCase(standing)) };
    case "grant.requested":
      return { insertGrant: requested(event, requireCase(standing)) };
    case "grant.ended": {
      if (standing.grant === undefined) throw new TypeError("The end of a grant that was not given");
      const { reason, endedOn } = endedGrant.parse(data);
      return { endGrants: [{ ...standing.grant, ended: { on: endedOn, reason } }] };
    }
    case "dropBox.added": {
      if (standing.case === undefined) throw new TypeError("A drop box of a case that was not recorded");
      const dropBoxIds = [...standing.case.dropBoxIds, z.object({ dropBoxId }).parse(data).dropBoxId];
      return { case: { ...standing.case, dropBoxIds } };
    }
    case "bundle.linked":
      return { insertLink: { ...link.parse(data), linkedOn: on } };
    case "bundle.unlinked":
      return { removeLink: { ...link.parse(data), linkedOn: on } };
    default:
      return {};
  }
}

function requireCase({ case: record }: Rows): CaseRecord {
  if (record === undefined) throw new TypeError("A grant of a case that was not recorded");
  return record;
}

const asked = z.object({ approvalOf: z.array(stampId), lapsesOn: utcTime });

/** One that waits for approval, from when it was asked for until that lapses. */
function requested(event: ChainedEvent, record: CaseRecord): GrantRecord {
  const { approvalOf, lapsesOn } = asked.parse(event.data);
  const data = { ...event.data, startsOn: event.on, expiresOn: lapsesOn };
  const approval = { stampIds: approvalOf, requestedOn: event.on, lapsesOn };
  return { ...activated({ ...event, data }, record), approval };
}

function approved({ data }: ChainedEvent, { approval, ...grant }: GrantRecord): GrantRecord {
  const { startsOn, expiresOn } = given.parse(data);
  return {
    ...grant,
    startsOn,
    expiresOn,
    ...(approval === undefined ? {} : { approval: { ...approval, approvedOn: startsOn } }),
  };
}

/**
 * Which epoch of its stamp it was given under is in another partition. Without it, a grant lends of stamps that were never disabled, and of
 * nothing else; and nobody is its grantee until the case system names the people anew.
 */
function activated({ data }: ChainedEvent, record: CaseRecord): GrantRecord {
  const { bundles, roles, justificationDigest, durationMinutes, ...grant } = given.parse(data);
  const assignment = record.assignees.find((each) => each.subjectId === grant.grantee);
  return {
    ...grant,
    ...(roles === undefined ? {} : { roles }),
    justificationNote: randomUUID(),
    ...(justificationDigest === undefined ? {} : { justificationDigest }),
    bundles: bundles.map((name) => {
      const [stamp, bundle] = name.split("/");
      return { ...link.parse({ stampId: stamp, bundleId: bundle }), stampEpoch: 0 };
    }),
    durationMinutes: durationMinutes ?? minutesBetween(grant.startsOn, grant.expiresOn),
    openEpoch: record.openEpoch,
    assigneeEpoch: assignment?.epoch ?? 0,
  };
}

const minutesBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 60_000);
