import { randomUUID } from "node:crypto";
import { toUtcTime } from "../../api/primitives.ts";
import type { AccessRecord } from "../../domain/access.ts";
import { type BundleRecord, bundleFacts } from "../../domain/bundle.ts";
import type { NewEvent } from "../../domain/event.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { requireLentNow, type UnderGrant } from "./recordLending.ts";

/**
 * Decides whether the caller may see the names of the bundle's files under the grant, and writes down that they will: once for each person, bundle
 * and UTC day, in the stamp's partition, so that its customer sees it. The event is committed before any name is read (invariant 5).
 */
export async function recordListing(
  world: Pick<World, "stamps" | "clock">,
  caller: TokenCaller,
  under: UnderGrant,
): Promise<BundleRecord> {
  const { stamps, clock } = world;
  const { record, grant, stampId, bundleId } = under;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const now = clock.now();
      const listing = { day: utcDay(now), bundleId, subject: caller.subject };
      const [bundle, isListed] = await Promise.all([
        requireLentNow(world, head, under, now),
        stamps.isListed(stampId, listing),
      ]);
      if (isListed) return bundle;
      const { caseNumber, grantId, purpose } = grant;
      const event: NewEvent = {
        type: "bundle.listed",
        actor: actorOf(caller),
        data: { ...bundleFacts(bundle), caseNumber, grantId, purpose, caseKind: record.kind },
      };
      const access: AccessRecord = {
        kind: "list",
        accessId: randomUUID(),
        on: toUtcTime(now),
        caseNumber,
        purpose,
        stampId,
        bundleId,
        grantId,
        accessor: caller.subject,
      };
      await stamps.commit(stampId, head, { events: [event], access, listing }, now);
      return bundle;
    },
  );
}
