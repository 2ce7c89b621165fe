import * as z from "zod";
import { termsVersion } from "./consents.ts";
import { caseNumber, dropBoxId, guid, purposes, stampId, stampVersion, text, utcTime } from "./primitives.ts";

/** Drop boxes: containers for logs from the privileged endpoint of a stamp that is not registered. */

export const dropBoxState = z.enum(["open", "closing", "closed"]);

/** Who or what closed it: a call, 24 quiet hours, its time, its case, or that nobody was ever given a URL. */
export const closeReason = z.enum(["requested", "quiet", "expired", "caseClosed", "abandoned"]);
export type CloseReason = z.infer<typeof closeReason>;

const mostHours = 72;

const email = z.email("must be an e-mail address").max(254);

export const dropBoxRequest = z
  .strictObject({
    contact: z.strictObject({ name: text, email: email.optional() }).describe("Of the customer, by name."),
    consent: z.strictObject({ decidedBy: text, decidedOn: utcTime, termsVersion, purposes: purposes.optional() }),
    stampVersion: stampVersion.optional(),
    geography: text.optional().describe("Where the customer's data is to be kept, as in a stamp's registration."),
    durationHours: z.int().min(1).max(mostHours).default(mostHours),
  })
  .meta({ id: "DropBoxRequest" });
export type DropBoxRequest = z.infer<typeof dropBoxRequest>;

export const refusedFiles = z.array(
  z.object({
    code: z.enum([
      "EmptyFile",
      "FileTooLarge",
      "UnusableBlob",
      "UnusableName",
      "TooManyFiles",
      "FileChanged",
      "TooLate",
    ]),
    files: z.int().min(1),
  }),
);

const boxUpload = z
  .object({
    url: z.url().describe("Shared access signature for the box's container: read, write and list."),
    expiresOn: utcTime,
    command: z.string().describe("What to enter in the privileged endpoint."),
  })
  .meta({ id: "DropBoxUpload" });

export const dropBox = z
  .object({
    caseNumber,
    dropBoxId,
    stampId: stampId.describe("What the bundles of the box show as their stampId. No stamp has it."),
    state: dropBoxState,
    contact: z
      .object({ name: text.optional(), email: z.string().optional() })
      .describe("Absent parts were not given, or are forgotten."),
    consentDecision: z.object({
      decisionId: guid,
      basis: z.literal("operator"),
      decidedBy: text.optional(),
      decidedOn: utcTime,
      termsVersion,
      purposes,
    }),
    stampVersion: stampVersion.optional(),
    createdOn: utcTime,
    expiresOn: utcTime.describe("When it closes at the latest; 24 hours without a write close it before."),
    closing: z.object({ on: utcTime, reason: closeReason }).optional(),
    closedOn: utcTime.optional().describe("Since then nothing can be written."),
    arrived: z
      .object({ files: z.int(), bytes: z.int(), refused: refusedFiles })
      .optional()
      .describe("Once it is closed: the files that became bundles, and how many did not, by why."),
    deleteBy: utcTime.describe("The hard line for all that arrived: createdOn and 90 days."),
    purgeOn: utcTime.describe("When what arrived is due for deletion."),
    upload: boxUpload.optional().describe("In the answer to a PUT, while the box is open."),
  })
  .meta({ id: "DropBox" });
export type DropBox = z.infer<typeof dropBox>;
