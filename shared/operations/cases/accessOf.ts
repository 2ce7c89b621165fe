import { randomUUID } from "node:crypto";
import { type BundleId, type StampId, toUtcTime } from "../../api/primitives.ts";
import type { AccessRecord } from "../../domain/access.ts";
import { type BundleRecord, bundleFacts } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { GrantRecord } from "../../domain/grant.ts";
import { actorOf, type TokenCaller } from "../caller.ts";

export type UnderGrant = {
  readonly record: CaseRecord;
  readonly grant: GrantRecord;
  readonly stampId: StampId;
  readonly bundleId: BundleId;
};

const eventOf = { read: "bundle.accessed", list: "bundle.listed" } as const;

/** What the stamp's partition keeps of an access: the row that the customer sees, and the event. */
export function accessOf(
  kind: AccessRecord["kind"],
  caller: TokenCaller,
  { record, grant, stampId, bundleId }: UnderGrant,
  bundle: BundleRecord,
  now: Date,
  file: { readonly pathDigest?: string } = {},
): { readonly access: AccessRecord; readonly event: NewEvent } {
  const { caseNumber, grantId, purpose } = grant;
  const accessId = randomUUID();
  const under = { caseNumber, grantId, purpose, ...file };
  return {
    access: { kind, accessId, on: toUtcTime(now), stampId, bundleId, accessor: caller.subject, ...under },
    event: {
      type: eventOf[kind],
      actor: actorOf(caller),
      data: { ...bundleFacts(bundle), caseKind: record.kind, ...under },
    },
  };
}
