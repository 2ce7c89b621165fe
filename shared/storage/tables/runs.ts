import * as z from "zod";
import { retention } from "../../api/compliance.ts";
import { utcTime } from "../../api/primitives.ts";
import { type ClosingRule, HeadMoved, type Runs } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/** Table `runs`: when each timer last succeeded, what the reconciler found, and how far a changed setting is applied. */

const success = z.object({ on: utcTime });
const findings = z.object({ asOf: utcTime, violations: retention.shape.violations });
const closingRule: z.ZodType<ClosingRule> = z.object({
  days: z.int().nullable(),
  since: utcTime,
  list: z.enum(["due", "cases", "done"]),
  after: z.string().optional(),
  isSecond: z.boolean(),
});

export function openRuns(table: Table): Runs {
  return {
    succeeded: async (timer, on) => void (await table.put(toEntity("succeeded", timer, { on }))),
    lastSuccess: async (timer) => (await table.read("succeeded", timer, success))?.value.on,
    keepFindings: async (found) => void (await table.put(toEntity("findings", "newest", found))),
    closingRule: () => table.read("settings", "closingRule", closingRule),
    keepClosingRule: async (rule, etag) => {
      const entity = toEntity("settings", "closingRule", rule);
      if (etag !== undefined) await table.replace(entity, etag);
      else if (!(await table.insert(entity))) throw new HeadMoved("runs/settings");
    },
    findings: async () => (await table.read("findings", "newest", findings))?.value,
  };
}
