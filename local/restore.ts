import { openApp } from "../shared/app.ts";
import { readConfig } from "../shared/config.ts";

/**
 * `npm run restore`: rebuilds lost tables from the records that `CHECKPOINT_CONTAINER_URL` and `LEDGER_EXPORT_CONTAINER_URL` name, with the settings
 * of the app access in the environment (`docs/runbook.md`, Restore drill). Nothing else may write meanwhile; one that died is run again.
 */
try {
  const { checkpoint, events, partitions, recordsAreTorn } = await openApp(readConfig(process.env)).restore();
  console.log(`Restored ${events} events of ${partitions} partitions, up to checkpoint ${checkpoint}.`);
  if (recordsAreTorn) {
    console.log(
      `First: checkpoint ${checkpoint + 1} was kept without its events. Name new, empty containers for the records; the next checkpoint fills them.`,
    );
  }
  console.log("Next: start access alone and run purgeDue, then reconcile (docs/runbook.md, Restore drill).");
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
