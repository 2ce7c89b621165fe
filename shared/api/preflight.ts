import * as z from "zod";
import { stampMode, upload } from "./bundles.ts";
import { stampVersion, text } from "./primitives.ts";

/** What a stamp asks before it collects for hours: would a bundle like this be taken now, and does its line reach storage? */

export const uploadCheckRequest = z
  .strictObject({
    mode: stampMode.default("sendNow"),
    sizeBytes: z.int().min(1).optional().describe("Of the bundle to come, where it is known."),
    faultId: text.optional().describe("Of the trigger, where mode is proactive."),
    stampVersion: stampVersion.optional().describe("Default: the registered one."),
  })
  .check((context) => {
    const { mode, faultId } = context.value;
    if (mode === "proactive" || faultId === undefined) return;
    const message = "belongs to mode proactive: leave it out";
    context.issues.push({ code: "custom", path: ["faultId"], message, input: context.value });
  })
  .meta({ id: "UploadCheckRequest" });
export type UploadCheckRequest = z.infer<typeof uploadCheckRequest>;

export const uploadCheck = z
  .object({
    checks: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        code: z.string().optional().describe("What a create would be refused with."),
        message: z.string().describe("How it stands, or what to do next."),
      }),
    ),
    probe: upload
      .omit({ blockSizeBytes: true })
      .describe("Where to try a write: it never becomes a bundle, and is deleted."),
  })
  .meta({ id: "UploadCheck" });
export type UploadCheck = z.infer<typeof uploadCheck>;
