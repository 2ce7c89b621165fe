import type { BundleRecord } from "./bundle.ts";
import type { CaseRecord } from "./case.ts";
import { isPurgeDue } from "./purge.ts";

/** Why a bundle could be linked to a case, in words; undefined where it could not, or is. */
export function candidateReasons(bundle: BundleRecord, record: CaseRecord, now: Date): string[] | undefined {
  const linked = bundle.links.some((link) => link.caseNumber === record.caseNumber);
  const usable = bundle.state === "accepted" || bundle.state === "submitted";
  if (linked || !usable || isPurgeDue(bundle, now)) return undefined;
  const reasons = ["The case lists its stamp."];
  if (bundle.caseNumber === record.caseNumber) reasons.push("The operator named this case when sending it.");
  if (bundle.trigger !== undefined)
    reasons.push(`Collected when ${bundle.trigger.faultId} was raised on ${bundle.trigger.raisedOn}.`);
  if (bundle.logsFrom !== undefined && bundle.logsTo !== undefined)
    reasons.push(`Holds logs from ${bundle.logsFrom} to ${bundle.logsTo}.`);
  if (bundle.mode === "dropBox") reasons.push(`Arrived in a drop box on ${bundle.collectedOn}.`);
  return reasons;
}
