import type { Chance } from "./chance.ts";
import type { KnownBundle, KnownCase, KnownGrant } from "./known.ts";
import { heardOf, insist, type Simulation } from "./simulation.ts";

/** A case as its people have it before them. */

export type Desk = {
  readonly known: KnownCase;
  readonly path: string;
  readonly chance: Chance;
  readonly kind: "support" | "productHealth";
  readonly assignees: Set<string>;
  readonly grants: KnownGrant[];
  revision: number;
  state: "open" | "closed";
};

export const isLinkedTo = (caseNumber: string) => (bundle: KnownBundle) =>
  bundle.linkedTo.has(caseNumber) && bundle.submitted !== undefined;

/** Of the case's stamps and drop boxes, the later the likelier. */
export function someBundle(
  { known }: Simulation,
  { known: { boxes, stampIds }, chance }: Desk,
  fits: (bundle: KnownBundle) => boolean = () => true,
): KnownBundle | undefined {
  const sent = [...stampIds].flatMap((stampId) => known.stamps.get(stampId)?.bundles ?? []);
  const dropped = boxes.flatMap(({ writes }) => writes.flatMap(({ bundle }) => bundle ?? []));
  const all = [...sent, ...dropped].filter(fits).sort((one, other) => one.askedOn - other.askedOn);
  return chance.oneOf(chance.happens(0.8) ? all.slice(-20) : all);
}

const refusalsOfLink = ["NotFound", "CaseNotOpen", "InvalidState"];

/** An assigned engineer links a bundle to the case. */
export async function linkBundle(
  simulation: Simulation,
  desk: Desk,
  bundle: KnownBundle,
  oid: string,
  chance: Chance,
): Promise<void> {
  const { linkedTo } = bundle;
  const wasAsked = linkedTo.has(desk.known.caseNumber);
  linkedTo.add(desk.known.caseNumber);
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("E", oid)).call("PUT", place);
  const outcome = await insist(simulation, chance, "linked", send, refusalsOfLink);
  if (heardOf(outcome) === "refused" && !wasAsked) linkedTo.delete(desk.known.caseNumber);
}
