import type { Retention } from "../../api/compliance.ts";
import { lifecycleDays, retentionDays } from "../../domain/retention.ts";
import type { AuditWorld } from "../needs.ts";

/** The settings that decide how long what is kept, and the two limits that no setting moves; days, hours and bytes. */
export const settingsInForce = (rules: AuditWorld["rules"]): Retention["settings"] => ({
  PURGE_AFTER_DAYS: rules.purgeAfterDays,
  ERASE_DELAY_HOURS: rules.eraseDelayHours,
  ...(rules.purgeAfterCaseCloseDays === undefined
    ? {}
    : { PURGE_AFTER_CASE_CLOSE_DAYS: rules.purgeAfterCaseCloseDays }),
  MAX_BUNDLE_BYTES: rules.maxBundleBytes,
  lifecycleDays,
  hardLineDays: retentionDays,
});
