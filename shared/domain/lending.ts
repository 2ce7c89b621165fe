import type { Purpose, StampId } from "../api/primitives.ts";
import { DomainError, type ErrorCode } from "../errors.ts";
import type { BundleRecord } from "./bundle.ts";
import { type CaseRecord, listsSender } from "./case.ts";
import { type GrantRecord, grantEnd, isPending } from "./grant.ts";
import type { SubjectId } from "./people.ts";
import { isPurgeDue } from "./purge.ts";
import { isCompromised, type SenderRecord } from "./sender.ts";

/** When a bundle may be lent (invariant 5): named rules in the contract's order; the refusal is the first that says no. */

export type Lending = {
  readonly case: CaseRecord;
  readonly stampId: StampId;
  /** Absent where there is no such bundle. */
  readonly bundle: BundleRecord | undefined;
  /** The bundle's stamp or drop box, by its head. */
  readonly sender: SenderRecord | undefined;
  readonly purpose: Purpose;
  readonly now: Date;
};

type Rule = { readonly code: ErrorCode; readonly message: string; readonly allows: (lending: Lending) => boolean };

const rules: readonly Rule[] = [
  {
    code: "CaseNotOpen",
    message: "The case is closed. Bundles are lent for open cases only.",
    allows: ({ case: record }) => record.state === "open",
  },
  {
    code: "StampNotOnCase",
    message: "The case does not list this stamp. Ask the case system to add it.",
    allows: ({ case: record, stampId }) => listsSender(record, stampId),
  },
  {
    code: "BundleNotLinked",
    message:
      "The bundle is not linked to the case. Link it first (PUT /cases/{caseNumber}/stamps/{stampId}/bundles/{bundleId}).",
    allows: ({ case: record, bundle }) => bundle?.links.some((link) => link.caseNumber === record.caseNumber) ?? false,
  },
  {
    code: "PurgeDue",
    message: "The bundle is due for deletion or already deleted, and is lent no more.",
    allows: ({ bundle, now }) => bundle !== undefined && !isPurgeDue(bundle, now),
  },
  {
    code: "BundleNotAccepted",
    message: "The bundle has not been verified and accepted. Look at its state and verification.",
    allows: ({ bundle }) => bundle?.state === "accepted",
  },
  {
    code: "PurposeNotConsented",
    message: "The customer's consent for this bundle, or the kind of the case, does not include that purpose.",
    allows: ({ case: record, bundle, purpose }) =>
      (bundle?.consentDecision.purposes.includes(purpose) ?? false) &&
      (record.kind === "support" || purpose === "productHealth"),
  },
  {
    code: "StampDisabled",
    message: "The stamp's key was compromised: what is in its bundles may not be the stamp's. They are not lent.",
    allows: ({ sender }) => sender !== undefined && !isCompromised(sender),
  },
];

/** Throws the refusal of the first rule that does not allow the lending; else gives the bundle. */
export function requireLendable(lending: Lending): BundleRecord {
  const refusing = rules.find((rule) => !rule.allows(lending));
  if (refusing !== undefined) throw new DomainError(refusing.code, refusing.message);
  if (lending.bundle === undefined) throw new DomainError("NotFound", "There is no such bundle.");
  return lending.bundle;
}

/**
 * Throws unless the caller is the grantee of an active grant. One that ended with its bundles passes: they tell more of themselves (`PurgeDue`,
 * as the contract says of an erasure); where they can be lent again, `requireNotEnded` stops it.
 */
export function requireActiveGrant(grant: GrantRecord, record: CaseRecord, caller: SubjectId, now: Date): void {
  if (grant.grantee !== caller) {
    throw new DomainError("NotTheGrantee", "The grant is another engineer's. Ask for one of your own.");
  }
  const { ended, ...rest } = grant;
  const endedWithBundles = ended?.reason === "bundleErased" || ended?.reason === "bundlePurged";
  const end = grantEnd(endedWithBundles && !isPending(grant) ? rest : grant, record, now);
  if (end !== undefined) throw notActive(end);
  if (isPending(grant)) throw awaitsApproval(grant);
}

const awaitsApproval = ({ approval, expiresOn }: GrantRecord): DomainError =>
  new DomainError("GrantNotActive", "The grant waits for the customer's approval. Ask again once it is active.", {
    details: [
      {
        code: "pendingApproval",
        message: `The operators of ${approval?.stampIds.map((id) => `stamp ${id}`).join(", ")} have to approve it before ${expiresOn}.`,
      },
    ],
  });

/** Throws where the end of the grant is written: nothing revives one. */
export function requireNotEnded({ ended }: GrantRecord): void {
  if (ended !== undefined) throw notActive(ended);
}

const notActive = (end: NonNullable<GrantRecord["ended"]>): DomainError =>
  new DomainError("GrantNotActive", "The grant has ended. Ask for a new one if the case still needs it.", {
    details: [{ code: end.reason, message: `Ended on ${end.on}.` }],
  });
