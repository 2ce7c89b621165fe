import { type BoxContainers, openBoxContainers } from "./boxes.ts";
import { type Copies, openCopies } from "./copy.ts";
import { type DayContainers, openDayContainers } from "./dayContainer.ts";
import { type Inventories, openInventories } from "./inventories.ts";
import { type Inventory, openInventory } from "./inventory.ts";
import { type Landing, openLanding } from "./landing.ts";
import { type Lending, openLending } from "./lent.ts";
import { openReading, type Reading } from "./read.ts";
import { type BundleAccountOptions, openService } from "./service.ts";
import { openSigner } from "./signer.ts";

/**
 * One storage account that holds bundles: landing containers that stamps write to, drop boxes, and day containers that only the
 * service writes. Every call that storage cannot answer is `ServiceUnavailable`.
 */
export type BundleAccount = { readonly name: string } & Landing &
  DayContainers &
  BoxContainers &
  Copies &
  Inventory &
  Reading &
  Inventories &
  Lending;

export function openBundleAccount(options: BundleAccountOptions): BundleAccount {
  const now = options.now ?? (() => new Date());
  const service = openService(options);
  const sign = openSigner(service, now);
  return {
    name: options.name,
    ...openLanding(service, sign),
    ...openDayContainers(service),
    ...openBoxContainers(service, sign),
    ...openCopies(service, sign, now),
    ...openInventory(service, options.inspect),
    ...openReading(service, sign),
    ...openInventories(service),
    ...openLending(service, sign),
  };
}
