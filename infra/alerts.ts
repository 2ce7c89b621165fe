import { z } from "zod";
import file from "./alerts.json" with { type: "json" };

/** What on-call is told of. `modules/alerts.bicep` deploys the same file; each has its section in `docs/runbook.md`. */

const alert = z.strictObject({
  /** Also the anchor of its section of the runbook. */
  name: z.string().regex(/^[a-z-]+$/),
  title: z.string(),
  /** 0 pages at once, 1 wakes nobody before morning, 2 is for working hours. */
  severity: z.int().min(0).max(2),
  every: z.string().startsWith("PT"),
  window: z.string().startsWith("PT"),
  reaches: z.string().startsWith("P").optional(),
  moreThan: z.int().positive().optional(),
  query: z.string(),
});

export const alerts = z.array(alert).min(1).parse(file);
