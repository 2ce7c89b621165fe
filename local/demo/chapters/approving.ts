import { randomUUID } from "node:crypto";
import { RefusedError } from "../../../client/index.ts";
import type { Bundle } from "../../../shared/api/bundles.ts";
import type { Now, Stage } from "../stage.ts";

/** The customer who wants to be asked first, and what they see of who reads. */

const operator = "Maria Jansen";

export async function askFirst(
  { story, stampId, caseNumber, engineer }: Stage,
  { people, stamp }: Now,
  { bundleId }: Bundle,
): Promise<void> {
  story.chapter("The customer wants to be asked before anyone reads");
  const { mode } = await stamp.setApproval({ mode: "required", decidedBy: operator });
  story.claim("the operator says so through the stamp, which signs it", mode, "required");

  const grantId = randomUUID();
  const grant = await people.engineer.grant(caseNumber, grantId, {
    bundles: [{ stampId, bundleId }],
    purpose: "troubleshooting",
    justification: "The customer reports that the second try failed too",
    durationMinutes: 240,
  });
  story.claim("the engineer's next grant waits", grant.state, "pendingApproval");
  const ask = () => people.engineer.issueUrl(caseNumber, grantId, { stampId, bundleId });
  const refusal = await ask().catch((error: unknown) => error);
  story.claim("and lends nothing", refusal instanceof RefusedError ? refusal.code : "a URL", "GrantNotActive");
  if (refusal instanceof RefusedError) story.aside(`"${refusal.message}"`);

  const { value: request } = await stamp.accessRequests().next();
  story.tell(`${request?.engineer} for case ${request?.caseNumber}: "${request?.justification}"`);
  story.claim("the operator sees which bundle is asked for", request?.bundles, [{ stampId, bundleId }]);
  story.claim("and who asks by a pseudonym alone", request?.engineer !== engineer && request !== undefined);
  const { state } = await stamp.approveAccess(grantId, { decidedBy: operator });
  story.claim("the operator approves, in their own name", state, "approved");
  await ask();
  const seen = await stamp.accesses().next();
  story.claim("the engineer reads, and the operator sees that too", seen.value?.grantId, grantId);

  await stamp.denyAccess(grantId, { decidedBy: operator, reason: "The update has gone through by now" });
  const after = await ask().catch((error: unknown) => error);
  story.claim(
    "the operator takes the approval back: no more URLs",
    after instanceof RefusedError ? after.code : "a URL",
    "GrantNotActive",
  );
}
