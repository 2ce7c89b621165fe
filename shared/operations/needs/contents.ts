import type { Readable } from "node:stream";
import type { Source } from "../../archive/source.ts";
import type { InventoryRecord } from "../../domain/inventory.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { CopiedVersion, Place } from "./days.ts";

/** What is inside the bundles. */

/** One file taken out of a bundle, by the salted digest of its path, and the day of lending. */
export type LentFile = { readonly place: Place; readonly lentOn: UtcDay; readonly digest: string };

/** What is inside the bundles. All that is kept of it lies in their day containers, or a day long in that of its lending. */
export type Contents = {
  readonly open: (place: Place, version: CopiedVersion) => Source;
  /** Once kept, an inventory stays as it is. Safe to repeat. */
  readonly keepInventory: (place: Place, record: InventoryRecord, lines: Buffer) => Promise<void>;
  readonly inventory: (place: Place) => Promise<InventoryRecord | undefined>;
  /** At most `count` bytes of the inventory's lines from a byte offset on; undefined where there is no inventory. */
  readonly inventoryLines: (place: Place, offset: number, count: number) => Promise<Buffer | undefined>;
  readonly isLent: (file: LentFile) => Promise<boolean>;
  /** The file is there only once `content` has ended well. Safe to repeat. */
  readonly lend: (file: LentFile, content: Readable) => Promise<void>;
  readonly lentUrl: (file: LentFile, as: { fileName: string; expiresOn: Date }) => Promise<string>;
  /** Keeps a path beside its bundle, so that its customer sees it as long as the bundle lives, with the day that it was last asked for. */
  readonly keepLentPath: (file: LentFile, path: string) => Promise<void>;
  readonly lentPath: (
    place: Place,
    digest: string,
  ) => Promise<{ readonly path: string; readonly lentOn: UtcDay } | undefined>;
  readonly lentDays: (account: string) => Promise<readonly UtcDay[]>;
  /** Why the file could not be taken out, in words; kept and dropped with the day's lent files. */
  readonly noteLentFailure: (file: LentFile, message: string) => Promise<void>;
  readonly forgetLentFailure: (file: LentFile) => Promise<void>;
  readonly lentFailure: (file: LentFile) => Promise<string | undefined>;
  readonly deleteLentDay: (account: string, day: UtcDay) => Promise<void>;
  /** Deletes all that was taken out of one bundle; resolves once it is verified gone. */
  readonly deleteLentOf: (place: Place) => Promise<void>;
};
