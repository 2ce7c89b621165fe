import type { DropBoxRecord } from "../../domain/dropBox.ts";
import type { Unfinished } from "../needs.ts";

export type BoxWork = Extract<Unfinished, { kind: "dropBox" }>;

/** The box as unfinished work: it stands in the schedule from before its container exists until that is gone. */
export const boxWork = ({ stampId, account, container }: DropBoxRecord): BoxWork => ({
  kind: "dropBox",
  stampId,
  account,
  container,
});
