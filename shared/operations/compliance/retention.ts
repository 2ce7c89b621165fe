import type { Retention } from "../../api/compliance.ts";
import type { World } from "../needs.ts";

export async function getRetention(_world: World): Promise<Retention> {
  throw new Error("being written");
}
