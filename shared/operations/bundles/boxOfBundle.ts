import type { BundleRecord } from "../../domain/bundle.ts";
import type { World } from "../needs.ts";

/**
 * Whether the drop box that a bundle arrived in still has its container. Until that is gone the bundle's bytes can be read there and copied again:
 * nothing is said to be deleted, and nothing is verified. False for what a stamp sent.
 */
export async function isInOpenBox(
  { stamps }: Pick<World, "stamps">,
  { mode, stampId }: Pick<BundleRecord, "mode" | "stampId">,
): Promise<boolean> {
  if (mode !== "dropBox") return false;
  const { state } = await stamps.head(stampId);
  return state?.kind === "dropBox" && state.state !== "closed";
}
