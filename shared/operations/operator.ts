import type { StampId } from "../api/primitives.ts";
import type { World } from "./needs.ts";

/** The subject id of somebody of the customer's, by the name that they have on one stamp or drop box. */
export const operatorOf = ({ people }: Pick<World, "people">, sender: StampId, name: string) =>
  people.subjectOf({ scope: `operator:${sender}`, identity: name });
