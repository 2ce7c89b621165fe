import { landingContainerName, probeContainerName } from "../domain/containers.ts";
import { type PlacementAccount, placeBundle } from "../domain/placement.ts";
import { DomainError } from "../errors.ts";
import {
  AccountMissing,
  type Boxes,
  type Contents,
  type Days,
  type Landing,
  type Storehouse,
} from "../operations/needs.ts";
import type { BundleAccount } from "./blobs/account.ts";

/** The configured accounts as operations see them: an account by the name that a bundle's row holds. */

/** Words for what a stamp did to its blob that a bundle's blob must not be. */
const unusableWords = {
  leased: "it is leased",
  archived: "it is in the archive tier",
  notABlockBlob: "it is not a block blob",
  customerKey: "it is encrypted with a key of your own",
  copyPending: "it is still being copied",
} as const;

export function openAccounts(
  accounts: readonly [BundleAccount & PlacementAccount, ...(BundleAccount & PlacementAccount)[]],
): {
  readonly landing: Landing;
  readonly days: Days;
  readonly contents: Contents;
  readonly boxes: Boxes;
  readonly storehouse: Storehouse;
} {
  const named = (name: string): BundleAccount => {
    const account = accounts.find((each) => each.name === name);
    if (account !== undefined) return account;
    throw new DomainError(
      "ServiceUnavailable",
      "The storage of this bundle is not configured at the moment. Try again later.",
      {
        cause: new AccountMissing(`BUNDLE_ACCOUNTS names no account ${name}`),
      },
    );
  };

  const landing: Landing = {
    place: (stampId, geography) => placeBundle(stampId, geography, accounts),
    containerName: ({ day, ...upload }) => landingContainerName(day, upload),
    create: (account, container) => named(account).createLanding(container),
    probeName: probeContainerName,
    ensure: (account, container) => named(account).ensureLanding(container),
    uploadUrl: (account, container, expiresOn) => named(account).uploadUrl(container, { expiresOn }),
    landed: async (account, container) => {
      const blob = await named(account).landed(container);
      if (blob === undefined) return undefined;
      return blob.kind === "usable"
        ? { etag: blob.etag, sizeBytes: blob.sizeBytes, unusable: undefined }
        : { etag: "", sizeBytes: 0, unusable: unusableWords[blob.reason] };
    },
    stagedBlocks: (account, container) => named(account).stagedBlocks(container),
    isThere: (account, container) => named(account).hasLanding(container),
    delete: (account, container) => named(account).deleteLanding(container),
  };

  const days: Days = {
    ensure: (account, day) => named(account).ensureDay(day),
    startCopy: (from, to) => named(from.account).startCopy({ landing: from.landing, etag: from.etag, to }),
    copyState: (place) => named(place.account).copyState(place),
    discard: (place, etag) => named(place.account).discardCopy(place, etag),
    readAndHash: (place, version, beside) => named(place.account).readAndHash(place, version, beside),
    readUrl: (place, as) => named(place.account).readUrl(place, as),
    deleteBundle: (place) => named(place.account).deleteBundle(place),
    deleteDay: (account, day) => named(account).deleteDay(day),
  };

  const contents: Contents = {
    open: (place, version) => named(place.account).content(place, version),
    keepInventory: (place, record, lines) => named(place.account).keepInventory(place, record, lines),
    inventory: (place) => named(place.account).inventory(place),
    inventoryLines: (place, offset, count) => named(place.account).inventoryLines(place, offset, count),
    isLent: (file) => named(file.place.account).isLent(file),
    lend: (file, content) => named(file.place.account).lend(file, content),
    lentUrl: (file, as) => named(file.place.account).lentUrl(file, as),
    keepLentPath: (file, path) => named(file.place.account).keepLentPath(file, path),
    lentPath: (place, digest) => named(place.account).lentPath(place, digest),
    noteLentFailure: (file, message) => named(file.place.account).noteLentFailure(file, message),
    forgetLentFailure: (file) => named(file.place.account).forgetLentFailure(file),
    lentFailure: (file) => named(file.place.account).lentFailure(file),
    lentDays: (account) => named(account).lentDays(),
    deleteLentDay: (account, day) => named(account).deleteLentDay(day),
    deleteLentOf: (place) => named(place.account).deleteLentOf(place),
  };

  const boxes: Boxes = {
    ensure: (account, container) => named(account).ensureBox(container),
    url: (account, container, expiresOn) => named(account).boxUrl(container, expiresOn),
    files: (account, container) => named(account).filesIn(container),
    delete: (account, container) => named(account).deleteLanding(container),
    copy: ({ account, ...from }, to) => named(account).copyFile({ ...from, to }),
  };

  const storehouse: Storehouse = {
    accounts: accounts.map((account) => account.name),
    draining: accounts.filter((account) => account.draining === true).map((account) => account.name),
    containers: (account) => named(account).containers(),
    blobsIn: (account, day) => named(account).blobsIn(day),
    holdsBlob: (account, day, name) => named(account).holdsBlob(day, name),
    faults: (account, look) => named(account).faults(look),
  };

  return { landing, days, contents, boxes, storehouse };
}
