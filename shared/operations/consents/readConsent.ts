import type { Consent } from "../../api/consents.ts";
import type { StampId } from "../../api/primitives.ts";
import { mapBounded, take } from "../bounded.ts";
import type { Caller } from "../caller.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, pageResult } from "../paging.ts";
import { requireStamp } from "../refusals.ts";
import { decisionView, standingConsentView } from "./view.ts";

type Needs = Pick<World, "stamps" | "people">;

/** The standing consent to proactive collection. */
export async function readConsent(world: Needs, caller: Caller, stampId: StampId): Promise<Consent> {
  const head = caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId);
  return await standingConsentView(world, requireStamp(head));
}

/** Every decision, newest first. */
export async function listDecisions(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  page: PageRequest,
): Promise<PageResult<Consent>> {
  requireStamp(caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId));
  const { taken, more } = await take(world.stamps.decisions(stampId, page.after), page.top);
  const shown = await mapBounded(taken, 16, ({ item }) => decisionView(world, stampId, item));
  return pageResult(shown, taken, more);
}
