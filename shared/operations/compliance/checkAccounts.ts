import { toUtcTime } from "../../api/primitives.ts";
import { describeFault, keepsDeleted } from "../../domain/accountFaults.ts";
import type { Violation } from "../../domain/violations.ts";
import { mapBounded } from "../bounded.ts";
import type { World } from "../needs.ts";

/** Whether the accounts that hold bundles still are what retention needs: asked at every start, and by every run of the reconciler. */

type Needs = Pick<World, "clock" | "log" | "storehouse">;

/** Milliseconds for which a start waits: a cold start is somebody's request, and Resource Manager is not needed to serve it. */
const startWaitsMs = 10_000;

const atOnce = 8;

/**
 * In words, which accounts keep deleted data: reasons not to start. Who could not be asked, or has a fault that deletes nothing less, is said
 * aloud and starts all the same.
 */
export async function reasonsNotToStart({ clock, log, storehouse }: Needs): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(startWaitsMs);
  const found = await mapBounded(storehouse.accounts, atOnce, async (account) => {
    try {
      const faults = await storehouse.faults(account, { mayWrite: false, signal });
      for (const fault of faults) {
        const { code } = describeFault(fault);
        log.alert("retention.violation", { code, since: toUtcTime(clock.now()), account, fault });
      }
      return faults
        .filter((fault) => keepsDeleted(fault))
        .map((fault) => `account ${account}: ${describeFault(fault).words}`);
    } catch (error) {
      log.error("accounts.unchecked", error, { account });
      return [];
    }
  });
  return found.flat();
}

/** The faults of one account as findings. Settings that cannot be read are a finding too: they keep nothing else from being compared. */
export async function findFaults({ log, storehouse }: Needs, account: string, now: Date): Promise<Violation[]> {
  const since = toUtcTime(now);
  try {
    const faults = await storehouse.faults(account, { mayWrite: true });
    return faults.map((fault) => {
      const { code, words } = describeFault(fault);
      log.info("account.fault", { account, fault, code });
      return { code, message: `Account ${account}: ${words}.`, since };
    });
  } catch (error) {
    log.error("reconcile.settingsUnreadable", error, { account });
    const message = `How account ${account} is set up could not be read: give the service the role Reader on it, or look by hand.`;
    return [{ code: "AccountSettingsUnreadable", message, since }];
  }
}
