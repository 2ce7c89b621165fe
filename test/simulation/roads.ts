import type { Answer } from "../support/system/http.ts";
import { carrying, signedManifest } from "../support/system/imports.ts";
import type { Chance } from "./chance.ts";
import type { Member } from "./fleet.ts";
import type { Custody } from "./known.ts";
import type { Simulation } from "./simulation.ts";

/** The roads that a stamp's bundle takes to the service: its own signed requests, or a manifest that somebody carries there days later. */

export type Road = {
  readonly create: () => Promise<Answer>;
  readonly submit: () => Promise<Answer>;
  /** Why the service may say no to its creation. */
  readonly refusals: readonly string[];
  /** What the bundle must tell of its way. */
  readonly custody: Custody | undefined;
};

export type Planned = {
  readonly bundleId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly request: Readonly<Record<string, unknown>>;
};

export function byItself({ known, call }: Member, { bundleId, sizeBytes, sha256, request }: Planned): Road {
  const path = `/stamps/${known.stampId}/bundles/${bundleId}`;
  return {
    create: () => call("PUT", path, request),
    submit: () => call("POST", `${path}:submit`, { sizeBytes, sha256 }),
    refusals: ["ConsentNotGiven", "StampDisabled", "TriggerBeforeConsent"],
    custody: undefined,
  };
}

/** Signed now, brought when that is long past: rotated, registered anew, the key counts as of the signing. */
export async function byCarrier(
  { stage, time }: Simulation,
  { known: { stampId }, signing }: Member,
  chance: Chance,
  { bundleId, sha256, request: { mode: _mode, ...described } }: Planned,
): Promise<Road> {
  const { key, isInForce } = signing();
  const signedOn = new Date().toISOString();
  const manifest = await signedManifest({ stampId, bundleId, sha256, ...described, savedOn: signedOn }, key);
  await time.pass(chance.hours(6 * 24));
  const path = `/stamps/${stampId}/imports/${bundleId}`;
  const carriedBy = `carrier-${chance.below(3)} of Contoso`;
  return {
    create: () => carrying(stage(), manifest)("PUT", path, { carriedBy }),
    submit: () => carrying(stage(), manifest)("POST", `${path}:submit`),
    refusals: ["StampDisabled", ...(isInForce ? [] : ["KeyRetired"])],
    custody: { signedOn, keyId: key.keyId },
  };
}
