import { z } from "zod";

/** The shapes of `API.md`, read anew from that page: what is listed must be there and right, what is not listed may be. */

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const caseNumber = z.string().regex(/^\d{15,19}$/);
const purposes = z.array(z.enum(["troubleshooting", "productHealth"])).min(1);
const problem = z.looseObject({ code: z.string().min(1), message: z.string().min(1) });
const jws = z.string().regex(/^[\w-]+\.[\w-]+\.[\w-]+$/);
const page = <T extends z.ZodType>(item: T) => z.looseObject({ value: z.array(item), nextLink: z.url().optional() });

export const errorShape = z.strictObject({
  error: z.looseObject({ code: z.string().min(1), message: z.string().min(1), target: z.string().optional() }),
});

export const stampShape = z.looseObject({
  stampId: guid,
  displayName: z.string(),
  stampVersion: z.string(),
  deploymentId: guid,
  cloud: z.string(),
  geography: z.string(),
  registrationResourceId: z.string(),
  registrationGeneration: z.int().min(1),
  state: z.enum(["enabled", "disabled"]),
  disabledReason: z.enum(["lost", "compromised", "decommissioned"]).optional(),
  keys: z.array(
    z.looseObject({
      keyId: z.string(),
      jwk: z.looseObject({ kty: z.string(), crv: z.string(), x: z.string() }),
      state: z.enum(["active", "retired"]),
      addedBy: z.enum(["registration", "rotation"]),
      notBefore: time.optional(),
      notAfter: time.optional(),
    }),
  ),
  createdOn: time,
  updatedOn: time,
});
export type Stamp = z.infer<typeof stampShape>;

export const consentShape = z.looseObject({
  state: z.enum(["notGiven", "enabled", "disabled"]),
  decisionId: guid.optional(),
  decidedOn: time.optional(),
  decidedBy: z.string().optional(),
  purposes: purposes.optional(),
  termsVersion: z.string().optional(),
  termsSha256: sha256.optional(),
  registrationGeneration: z.int().optional(),
  receipt: jws.optional(),
});
export type Consent = z.infer<typeof consentShape>;

const uploadShape = z.looseObject({
  url: z.url(),
  expiresOn: time,
  blockSizeBytes: z.int().positive(),
  requiredHeaders: z.record(z.string(), z.string()),
});

export const bundleShape = z.looseObject({
  stampId: guid,
  bundleId: guid,
  mode: z.enum(["proactive", "sendNow", "savedLocally"]),
  state: z.enum(["created", "submitted", "accepted", "rejected", "canceled", "expired", "purged"]),
  trigger: z.looseObject({ faultId: z.string(), raisedOn: time }).optional(),
  fileName: z.string(),
  contentType: z.literal("application/zip"),
  sizeBytes: z.int().min(1),
  sha256: sha256.optional(),
  caseNumber: caseNumber.optional(),
  logsFrom: time,
  logsTo: time,
  collectedOn: time,
  stampVersion: z.string(),
  roles: z.array(z.string()).optional(),
  createdOn: time,
  submittedOn: time.optional(),
  acceptedOn: time.optional(),
  deleteBy: time,
  purgeOn: time,
  rejection: problem.optional(),
  verification: z
    .looseObject({ attempts: z.int(), lastError: z.unknown().optional(), nextAttemptOn: time.optional() })
    .optional(),
  consentDecision: z.looseObject({
    decisionId: guid,
    basis: z.enum(["proactive", "operator"]),
    decidedOn: time,
    termsVersion: z.string(),
    purposes,
  }),
  links: z.array(z.looseObject({ caseNumber, linkedOn: time })),
  custody: z
    .looseObject({
      signedOn: time,
      keyId: z.string(),
      importedOn: time,
      carrier: guid,
      carriedBy: z.string().optional(),
    })
    .optional(),
  upload: uploadShape.optional(),
  stagedBlocks: z.array(z.looseObject({ id: z.string(), sizeBytes: z.int() })).optional(),
  erasure: z.looseObject({ requestedOn: time, dueOn: time }).optional(),
  purge: z
    .looseObject({
      basis: z.enum(["age", "erasure", "caseClosed", "rejected", "canceled", "expired"]),
      intendedOn: time,
      deletedOn: time.optional(),
    })
    .optional(),
});
export type Bundle = z.infer<typeof bundleShape>;

export const caseShape = z.looseObject({
  caseNumber,
  revision: z.int(),
  kind: z.enum(["support", "productHealth"]),
  state: z.enum(["open", "closed"]),
  stampIds: z.array(guid),
  assignees: z.array(guid),
  title: z.string().optional(),
  closedOn: time.optional(),
  createdOn: time,
  updatedOn: time,
});
export type Case = z.infer<typeof caseShape>;

export const grantShape = z.looseObject({
  grantId: guid,
  caseNumber,
  grantee: guid,
  state: z.enum(["pendingApproval", "active", "ended"]),
  purpose: z.enum(["troubleshooting", "productHealth"]),
  justification: z.string(),
  bundles: z.array(z.looseObject({ stampId: guid, bundleId: guid })),
  startsOn: time,
  expiresOn: time,
  ended: z.looseObject({ on: time, reason: z.string() }).optional(),
  approval: z
    .looseObject({ stampIds: z.array(guid), requestedOn: time, lapsesOn: time, approvedOn: time.optional() })
    .optional(),
});
export type Grant = z.infer<typeof grantShape>;

export const linkShape = z.looseObject({ caseNumber, stampId: guid, bundleId: guid, linkedOn: time });

export const accessRequestShape = z.looseObject({
  grantId: guid,
  caseNumber,
  purpose: z.enum(["troubleshooting", "productHealth"]),
  engineer: guid,
  justification: z.string().optional(),
  bundles: z.array(z.looseObject({ stampId: guid, bundleId: guid })),
  durationMinutes: z.int(),
  requestedOn: time,
  lapsesOn: time,
  state: z.enum(["pending", "approved", "denied", "ended"]),
  decidedOn: time.optional(),
  decidedBy: z.string().optional(),
});
export type AccessRequest = z.infer<typeof accessRequestShape>;

export const eventShape = z.looseObject({
  partition: z.string(),
  seq: z.int().min(1),
  on: time,
  type: z.string().regex(/^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/),
  actor: z.looseObject({ kind: z.enum(["stamp", "person", "service"]), id: z.string() }),
  data: z.record(z.string(), z.unknown()),
  prevHash: sha256,
  hash: sha256,
});
export type LedgerEvent = z.infer<typeof eventShape>;

export const accessShape = z.looseObject({
  on: time,
  caseNumber,
  purpose: z.string(),
  stampId: guid,
  bundleId: guid,
  grantId: guid,
  accessor: z.string().min(1),
});

export const issuedUrlShape = z.looseObject({ url: z.url(), expiresOn: time });
export const verificationShape = z.looseObject({
  id: guid,
  status: z.enum(["NotStarted", "Running", "Succeeded", "Failed"]),
  error: problem.optional(),
  attempts: z.int(),
  nextAttemptOn: time.optional(),
});
export const certificateShape = z.looseObject({ certificate: jws });
export const termsShape = page(z.looseObject({ version: z.string(), sha256, current: z.boolean() }));

export const stampPage = page(stampShape);
export const consentPage = page(consentShape);
export const bundlePage = page(bundleShape);
export const casePage = page(caseShape);
export const grantPage = page(grantShape);
export const stampGrantPage = page(grantShape.omit({ justification: true }));
export const accessRequestPage = page(accessRequestShape);
export const eventPage = page(eventShape);
export const accessPage = page(accessShape);

/** A file that arrived in a drop box: what nobody declared may be absent. */
export const dropBoxBundleShape = bundleShape.extend({
  dropBoxId: z.guid(),
  mode: z.literal("dropBox"),
  contentType: z.string(),
  logsFrom: time.optional(),
  logsTo: time.optional(),
  stampVersion: z.string().optional(),
});
export type DropBoxBundle = z.infer<typeof dropBoxBundleShape>;
