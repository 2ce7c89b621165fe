import type { StampId } from "../api/primitives.ts";
import type { SubjectId } from "../domain/people.ts";
import type { Caller } from "./caller.ts";
import type { World } from "./needs.ts";

/**
 * What an engineer is called: to staff by the object id, or the subject id once forgotten; to a stamp by a pseudonym of that stamp's own, so that
 * two customers cannot find out that the same engineer read the bundles of both.
 */
export async function nameOfEngineer(
  { people }: Pick<World, "people">,
  caller: Caller,
  stampId: StampId,
  engineer: SubjectId,
): Promise<string> {
  if (caller.kind !== "token") return await people.pseudonym(stampId, engineer);
  return (await people.whois(engineer))?.identity ?? engineer;
}
