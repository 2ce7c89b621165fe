import type { Command } from "commander";
import { z } from "zod";
import { caseNumber } from "../../shared/api/primitives.ts";
import { UsageError } from "../failure.ts";
import { names, utcTime } from "./options.ts";

/** What a person can say of the logs in a bundle, and what is taken for granted where they say nothing. */

export const logOptions = z.object({
  case: caseNumber.optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  roles: z.array(z.string()).optional(),
  stampVersion: z.string().optional(),
});
export type LogOptions = z.infer<typeof logOptions>;

export const withLogOptions = (command: Command): Command =>
  command
    .option("--case <number>", "the support case that it is for, 15 to 19 digits", caseNumberOf)
    .option("--from <time>", "start of the logs (default: four hours before their end)", utcTime)
    .option("--to <time>", "end of the logs (default: now)", utcTime)
    .option("--roles <names>", "roles in the bundle, with commas between", names)
    .option("--stamp-version <version>", "version of the stamp when it collected (default: the registered one)");

/** The default window (`DOMAIN.md`, Shapes and sizes). */
const fourHoursMs = 4 * 3_600_000;

/** The logs as the contract describes them; collected now. */
export function describeLogs(options: LogOptions, now: Date, registeredVersion: string) {
  const logsTo = options.to ?? now.toISOString();
  return {
    caseNumber: options.case,
    logsFrom: options.from ?? new Date(Date.parse(logsTo) - fourHoursMs).toISOString(),
    logsTo,
    collectedOn: now.toISOString(),
    stampVersion: options.stampVersion ?? registeredVersion,
    roles: options.roles,
  };
}

function caseNumberOf(text: string): string {
  const read = caseNumber.safeParse(text);
  if (read.success) return read.data;
  throw new UsageError(`--case: ${text} is no case number; it has 15 to 19 digits`);
}
