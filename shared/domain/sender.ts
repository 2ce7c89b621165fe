import * as z from "zod";
import { dropBoxRecord } from "./dropBox.ts";
import { keysAreInDoubt, type StampRecord, stampRecord } from "./stamp.ts";

/**
 * Who sends bundles: a registered stamp, or a drop box that stands where an unregistered one would. Each has a partition `stamps/{id}`, whose
 * head says which it is.
 */
export const senderRecord = z.union([stampRecord, dropBoxRecord]);
export type SenderRecord = z.infer<typeof senderRecord>;

/** The registered stamp; undefined for a drop box, and where there is nothing. */
export const asStamp = (sender: SenderRecord | undefined): StampRecord | undefined =>
  sender?.kind === "stamp" ? sender : undefined;

/** What is in its bundles may not be its own. Another reason to disable it does not take that back. */
export const isCompromised = (sender: SenderRecord): boolean =>
  sender.kind === "stamp" && (sender.disabledReason === "compromised" || keysAreInDoubt(sender));
