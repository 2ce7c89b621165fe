import { type BundleId, type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { bundleDownloadName } from "../../domain/downloadName.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { recordLending } from "./recordLending.ts";

/** A URL that reads one whole bundle, signed once it is written down who gets it. */
export async function issueUrl(
  world: World,
  caller: TokenCaller,
  at: { readonly caseNumber: CaseNumber; readonly grantId: GrantId },
  asked: { readonly stampId: StampId; readonly bundleId: BundleId },
): Promise<{ url: string; expiresOn: string }> {
  const { bundle, expiresOn } = await recordLending(world, caller, at, asked);
  const url = await world.days.readUrl(placeOf(bundle), { fileName: bundleDownloadName(bundle), expiresOn });
  return { url, expiresOn: toUtcTime(expiresOn) };
}
