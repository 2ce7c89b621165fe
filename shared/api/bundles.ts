import * as z from "zod";
import { termsVersion } from "./consents.ts";
import {
  bundleId,
  caseNumber,
  grantId,
  guid,
  keyId,
  list,
  purposes,
  sha256Hex,
  sizeBytes,
  stampId,
  stampVersion,
  text,
  utcTime,
} from "./primitives.ts";

/** The ways in which a stamp sends by itself. */
export const stampMode = z.enum(["proactive", "sendNow", "savedLocally"]);

/** How a bundle came here; `dropBox`: from the privileged endpoint of a stamp that cannot sign. */
export const mode = z.enum([...stampMode.options, "dropBox"]);
export type Mode = z.infer<typeof mode>;

export const bundleState = z.enum(["created", "submitted", "accepted", "rejected", "canceled", "expired", "purged"]);
export type BundleState = z.infer<typeof bundleState>;

export const rejectionCode = z.enum(["DigestMismatch", "SizeMismatch", "NotAZip", "BlobChanged", "Unverifiable"]);

export const purgeBasis = z.enum(["age", "erasure", "caseClosed", "rejected", "canceled", "expired"]);
export type PurgeBasis = z.infer<typeof purgeBasis>;

const fileName = text.refine((name) => !/[/\\":*?<>|]/.test(name), { error: 'must not hold / \\ " : * ? < > |' });
export const roles = list(text);

const trigger = z.strictObject({ faultId: text, raisedOn: utcTime });
export const operatorConsent = z.strictObject({
  decidedBy: text,
  decidedOn: utcTime,
  termsVersion,
  purposes: purposes.optional(),
});

export const bundleRequest = z
  .strictObject({
    mode: stampMode,
    trigger: trigger.optional(),
    consent: operatorConsent.optional(),
    caseNumber: caseNumber.optional(),
    logsFrom: utcTime,
    logsTo: utcTime,
    collectedOn: utcTime,
    stampVersion,
    roles: roles.optional(),
    fileName,
    contentType: z.literal("application/zip"),
    sizeBytes: z.int().min(1),
  })
  .check((context) => {
    const { mode, trigger, consent, logsFrom, logsTo } = context.value;
    const complain = (path: string, message: string) =>
      context.issues.push({ code: "custom", path: [path], message, input: context.value });
    if (Date.parse(logsTo) < Date.parse(logsFrom)) complain("logsTo", "must not be before logsFrom");
    if (mode === "proactive" && trigger === undefined) complain("trigger", "is needed where mode is proactive");
    if (mode === "proactive" && consent !== undefined)
      complain("consent", "stands already where mode is proactive: leave it out");
    if (mode !== "proactive" && consent === undefined)
      complain("consent", "is needed where mode is not proactive: the operator's action is the consent");
    if (mode !== "proactive" && trigger !== undefined) complain("trigger", "belongs to mode proactive: leave it out");
  })
  .meta({ id: "BundleRequest" });
export type BundleRequest = z.infer<typeof bundleRequest>;

export const submission = z.strictObject({ sizeBytes: z.int().min(0), sha256: sha256Hex }).meta({ id: "Submission" });
export type Submission = z.infer<typeof submission>;

export const erasureRequest = z.strictObject({ decidedBy: text, reason: text }).meta({ id: "ErasureRequest" });
export type ErasureRequest = z.infer<typeof erasureRequest>;

const problem = z.object({ code: z.string(), message: z.string() });

const roleContent = z
  .object({
    role: z.string().describe("A role of the published list; `other` for files of no role and of roles outside it."),
    files: z.int(),
    bytes: z.int().describe("Unpacked."),
    firstOn: utcTime.optional().describe("When the first of its files was written; absent where none tells."),
    lastOn: utcTime.optional(),
  })
  .meta({ id: "RoleContent" });
export type RoleContent = z.infer<typeof roleContent>;

/** Whether an accepted bundle holds what was asked for. */
export const completeness = z
  .object({
    verdict: z.enum(["complete", "incomplete", "unknown"]),
    findings: z
      .array(problem.extend({ detail: z.string().optional().describe("Words of the bundle's content, to its stamp.") }))
      .describe("In words, what is missing or odd."),
    roles: z
      .array(roleContent)
      .optional()
      .describe(
        "What it holds of each role, which tells which roles to ask a grant for. A zip that was looked into counts by its files.",
      ),
    suggestedCommand: z
      .string()
      .optional()
      .describe("The line for the privileged endpoint that collects what is missing."),
  })
  .meta({ id: "Completeness" });
export type Completeness = z.infer<typeof completeness>;

export const upload = z
  .object({
    url: z.url().describe("Shared access signature for one blob: create and write, at most 4 hours."),
    expiresOn: utcTime,
    blockSizeBytes: z.int().describe("Advice, not a rule."),
    requiredHeaders: z
      .record(z.string(), z.string())
      .describe("For Put Block and Put Blob; Put Block List goes without them."),
  })
  .meta({ id: "Upload" });

const custody = z
  .object({
    signedOn: utcTime.describe("When the stamp signed the manifest, by its own clock."),
    keyId: keyId.describe("The stamp's key that signed it."),
    importedOn: utcTime,
    carrier: guid.describe("A pseudonym of who carried it here first."),
    carriedBy: text.optional().describe("The name that they gave, as long as it is kept, where one bundle is read."),
  })
  .meta({ id: "Custody", description: "How a bundle came that was saved locally and imported by its manifest." });

export const bundle = z
  .object({
    stampId,
    bundleId,
    mode,
    state: bundleState,
    trigger: z.object({ faultId: text, raisedOn: utcTime }).optional(),
    fileName: z.string(),
    contentType: z.string(),
    sizeBytes,
    sha256: sha256Hex
      .optional()
      .describe("What the stamp signed; where mode is dropBox nobody signed, and it is that of what was received."),
    caseNumber: caseNumber.optional(),
    logsFrom: utcTime.optional().describe("Absent only where mode is dropBox: nobody declared it."),
    logsTo: utcTime.optional().describe("As logsFrom."),
    collectedOn: utcTime.describe("Where mode is dropBox: when the file arrived."),
    stampVersion: stampVersion.optional().describe("Absent only where mode is dropBox and nobody declared it."),
    roles: roles.optional(),
    createdOn: utcTime,
    submittedOn: utcTime.optional(),
    acceptedOn: utcTime.optional(),
    deleteBy: utcTime.describe("The hard line: createdOn and 90 days."),
    purgeOn: utcTime.describe("When the bytes are due for deletion; nothing is lent past it."),
    rejection: z.object({ code: rejectionCode, message: z.string() }).optional(),
    verification: z
      .object({ attempts: z.int(), lastError: problem.optional(), nextAttemptOn: utcTime.optional() })
      .optional(),
    consentDecision: z.object({
      decisionId: guid,
      basis: z.enum(["proactive", "operator"]),
      decidedOn: utcTime,
      termsVersion,
      purposes,
    }),
    links: z.array(z.object({ caseNumber, linkedOn: utcTime })),
    custody: custody.optional(),
    completeness: completeness
      .optional()
      .describe("While the bundle is accepted, to its stamp and to its case's engineers."),
    upload: upload.optional(),
    stagedBlocks: z.array(z.object({ id: z.string(), sizeBytes })).optional(),
    erasure: z.object({ requestedOn: utcTime, dueOn: utcTime }).optional(),
    purge: z.object({ basis: purgeBasis, intendedOn: utcTime, deletedOn: utcTime.optional() }).optional(),
  })
  .meta({ id: "Bundle" });
export type Bundle = z.infer<typeof bundle>;

export const candidate = bundle
  .extend({
    reasons: z.array(z.string()).optional(),
    path: z.string().optional().describe("What a file was called in its drop box, where that is no file name."),
  })
  .meta({ id: "CaseBundle" });
export type CaseBundle = z.infer<typeof candidate>;

export const verification = z
  .object({
    id: guid,
    status: z.enum(["NotStarted", "Running", "Succeeded", "Failed"]),
    error: problem.optional(),
    attempts: z.int(),
    nextAttemptOn: utcTime.optional(),
  })
  .meta({ id: "Verification" });
export type Verification = z.infer<typeof verification>;

export const erasure = z
  .object({
    id: guid,
    status: z.enum(["Running", "Succeeded"]).describe("Succeeded once the bytes are verified gone."),
    requestedOn: utcTime,
    dueOn: utcTime,
  })
  .meta({ id: "Erasure" });
export type Erasure = z.infer<typeof erasure>;

export const deletionCertificate = z
  .object({ certificate: z.string().describe("Compact JWS, typ deletion-certificate+jwt.") })
  .meta({ id: "DeletionCertificate" });

export const access = z
  .object({
    kind: z
      .enum(["read", "list"])
      .describe(
        "`read`: a URL that reads. `list`: the names of its files, the first time that a person listed them on a UTC day.",
      ),
    on: utcTime,
    caseNumber,
    purpose: z.enum(["troubleshooting", "productHealth"]),
    stampId,
    bundleId,
    grantId,
    accessor: z.string().describe("A pseudonym to the stamp, the object id to an auditor."),
    pathDigest: z
      .string()
      .optional()
      .describe("One file of the bundle, by the salted digest of its path; absent for the whole."),
    path: z.string().optional().describe("To the stamp, while the bundle lives."),
  })
  .meta({ id: "Access" });
export type Access = z.infer<typeof access>;
