import { randomUUID } from "node:crypto";
import { RefusedError } from "../../../client/index.ts";
import { size } from "../../../client/output.ts";
import type { Bundle } from "../../../shared/api/bundles.ts";
import { digestOf } from "../digest.ts";
import type { Now, Stage } from "../stage.ts";
import type { Logs } from "./sending.ts";

/** A support case, and an engineer who reads the logs for it. */

export type Loan = { readonly grantId: string; readonly url: string };

export async function openCase(
  { story, stampId, caseNumber, engineer }: Stage,
  { people }: Now,
  { bundleId }: Bundle,
): Promise<void> {
  story.chapter("A support case opens");
  await people.caseSystem.update(caseNumber, {
    revision: 1,
    kind: "support",
    state: "open",
    stampIds: [stampId],
    assignees: [engineer],
    title: "Update to 2501 fails",
  });
  story.tell(`The case system reports case ${caseNumber}, for this stamp, assigned to one engineer.`);
  const link = await people.engineer.link(caseNumber, stampId, bundleId);
  story.claim("the engineer links the logs that were there before the case was", link.bundleId, bundleId);
}

export async function borrow(
  { story, stampId, caseNumber }: Stage,
  { people }: Now,
  { bundleId }: Bundle,
): Promise<Loan> {
  story.chapter("The engineer asks to read them, and says why");
  const grantId = randomUUID();
  const grant = await people.engineer.grant(caseNumber, grantId, {
    bundles: [{ stampId, bundleId }],
    purpose: "troubleshooting",
    justification: "The update stops at ECE's step 'Apply update package'",
    durationMinutes: 60,
  });
  story.claim(
    "the grant is active: open case, assigned engineer, a purpose that the consent includes",
    grant.state,
    "active",
  );
  const { url, expiresOn } = await people.engineer.issueUrl(caseNumber, grantId, { stampId, bundleId });
  const minutes = Math.round((Date.parse(expiresOn) - Date.now()) / 60_000);
  story.claim("a read URL is issued, for this one bundle and for 15 minutes at most", minutes <= 15);
  return { grantId, url };
}

export async function download({ story }: Stage, { url }: Loan, logs: Logs): Promise<void> {
  story.chapter("The engineer downloads the bundle");
  const answer = await fetch(url);
  const received = await digestOf(answer.body ?? new ReadableStream());
  story.tell(`${size(received.sizeBytes)} by the URL, straight from storage.`);
  story.claim("byte for byte what left the stamp", received, { sha256: logs.sha256, sizeBytes: logs.sizeBytes });
}

export async function showAccesses(
  { story, stampId, engineer }: Stage,
  { people, stamp }: Now,
  { bundleId }: Bundle,
): Promise<void> {
  story.chapter("The operator looks who has read the logs");
  const { value: seen } = await stamp.accesses().next();
  story.tell(`${seen?.accessor} for case ${seen?.caseNumber}, ${seen?.purpose}, on ${seen?.on}`);
  story.claim("the stamp's history shows the access to this bundle", seen?.bundleId, bundleId);
  story.claim("under a pseudonym", seen?.accessor !== engineer && seen?.accessor !== undefined);
  const { value: lent } = await stamp.accessGrants().next();
  story.claim("and what was lent, to whom and until when", [lent?.grantee, lent?.state], [seen?.accessor, "active"]);
  const [audited] = await people.auditor.accesses(stampId);
  story.claim("the auditor sees who it was", audited?.accessor, engineer);
}

export async function closeCase(
  stage: Stage,
  { people, stamp }: Now,
  { bundleId }: Bundle,
  { grantId }: Loan,
): Promise<void> {
  const { story, stampId, caseNumber, engineer } = stage;
  story.chapter("The case closes, and reading ends with it");
  await people.caseSystem.update(caseNumber, {
    revision: 2,
    kind: "support",
    state: "closed",
    stampIds: [stampId],
    assignees: [engineer],
  });
  const refusal = await people.engineer
    .issueUrl(caseNumber, grantId, { stampId, bundleId })
    .catch((error: unknown) => error);
  const code = refusal instanceof RefusedError ? refusal.code : "a URL";
  story.claim("the engineer's next request for a URL is refused", code, "GrantNotActive");
  if (refusal instanceof RefusedError) story.aside(`"${refusal.message}"`);
  for await (const lent of stamp.accessGrants()) {
    if (lent.grantId === grantId)
      story.claim("the operator sees why the lending ended", lent.ended?.reason, "caseClosed");
  }
}
