import * as z from "zod";
import { grantId, pageQuery, textUpTo, utcTime } from "./primitives.ts";

/** Single files of a bundle: what is in it, and one of them taken out. */

/** The path of a role zip, a slash, and one in it, each of which may have 1,024 characters. */
const longestPath = 2049;

export const filesQuery = z.object({
  ...pageQuery,
  prefix: z.string().max(longestPath).optional().describe("Only files whose path begins so."),
  grantId: grantId
    .optional()
    .describe(
      "Which of your grants it is listed under; left out, one that lends the bundle, of all roles where you have such a one.",
    ),
});

export const bundleFile = z
  .object({
    path: z.string().describe("Inside a role zip: the zip's own path, a slash, and the path in it."),
    sizeBytes: z.int(),
    compressedBytes: z.int(),
    modifiedOn: utcTime.optional().describe("As the zip says; a zip's plain time has no zone and is taken for UTC."),
    method: z.enum(["stored", "deflated", "other"]),
    role: z.string().optional(),
    isEncrypted: z.literal(true).optional(),
  })
  .meta({ id: "BundleFile" });
export type BundleFile = z.infer<typeof bundleFile>;

export const fileRequest = z
  .strictObject({
    path: textUpTo(longestPath),
    grantId: grantId.optional().describe("Which of your grants it is read under; left out, one that lends it."),
  })
  .meta({ id: "FileRequest" });
export type FileRequest = z.infer<typeof fileRequest>;

export const extraction = z
  .object({
    id: z.string().describe("A digest that stands for the path in events."),
    path: z.string().optional(),
    status: z.enum(["Running", "Succeeded", "Failed"]),
    sizeBytes: z.int().optional(),
    url: z.url().optional().describe("Reads this one file for at most 15 minutes."),
    expiresOn: utcTime.optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: "Extraction" });
export type Extraction = z.infer<typeof extraction>;
