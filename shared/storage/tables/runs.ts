import * as z from "zod";
import { retention } from "../../api/compliance.ts";
import { utcTime } from "../../api/primitives.ts";
import type { Runs } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/** Table `runs`: when each timer last succeeded, and what the reconciler found. */

const success = z.object({ on: utcTime });
const findings = z.object({ asOf: utcTime, violations: retention.shape.violations });

export function openRuns(table: Table): Runs {
  return {
    succeeded: async (timer, on) => void (await table.put(toEntity("succeeded", timer, { on }))),
    lastSuccess: async (timer) => (await table.read("succeeded", timer, success))?.value.on,
    keepFindings: async (found) => void (await table.put(toEntity("findings", "newest", found))),
    findings: async () => (await table.read("findings", "newest", findings))?.value,
  };
}
