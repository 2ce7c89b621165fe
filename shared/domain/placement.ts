import { createHash } from "node:crypto";

/** A storage account that can hold bundles; without `geographies` it takes those of any, and while `draining` no new ones. */
export type PlacementAccount = {
  readonly name: string;
  readonly geographies?: readonly string[] | undefined;
  readonly draining?: boolean | undefined;
};

/**
 * The name of the account that holds a stamp's new bundles: of the accounts for its geography, the one that rendezvous
 * hashing picks, so that adding an account moves only the stamps that it takes over, and draining one only its own.
 */
export function placeBundle(
  stampId: string,
  geography: string,
  accounts: readonly [PlacementAccount, ...PlacementAccount[]],
): string {
  const taking = accounts.filter((account) => account.draining !== true);
  const candidates = accountsFor(geography, isNotEmpty(taking) ? taking : accounts);
  return candidates.reduce((best, next) => (outranks(next, best, stampId) ? next : best)).name;
}

type Candidates = readonly [PlacementAccount, ...PlacementAccount[]];

/** Accounts named for the geography; else those for any; else all, for a bundle must lie somewhere. */
function accountsFor(geography: string, accounts: Candidates): Candidates {
  const wanted = geography.toLowerCase();
  const named = accounts.filter((account) => account.geographies?.some((each) => each.toLowerCase() === wanted));
  if (isNotEmpty(named)) return named;
  const general = accounts.filter((account) => account.geographies === undefined);
  return isNotEmpty(general) ? general : accounts;
}

function isNotEmpty(accounts: readonly PlacementAccount[]): accounts is Candidates {
  return accounts.length > 0;
}

function outranks(one: PlacementAccount, other: PlacementAccount, stampId: string): boolean {
  return weight(one, stampId) > weight(other, stampId);
}

const weight = (account: PlacementAccount, stampId: string): string =>
  createHash("sha256").update(`${account.name}|${stampId}`).digest("hex");
