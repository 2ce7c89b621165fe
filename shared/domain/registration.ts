import { type StampId, toUtcTime } from "../api/primitives.ts";
import { sameKey } from "../api/publicJwk.ts";
import type { KeyRotation, Registration } from "../api/stamps.ts";
import { DomainError } from "../errors.ts";
import type { EventData, EventType } from "./event.ts";
import { noLoad } from "./load.ts";
import { isRetired, keysAreInDoubt, type StampKeyRecord, type StampRecord } from "./stamp.ts";

/** Registration and key rotation: who speaks for a stamp, and what that does to its consent (`DOMAIN.md`, promise 6). */

/** Keys are remembered for ever so that a `keyId` never comes to mean another key; this bounds the memory. */
const mostKeys = 500;

export type Outcome = {
  readonly stamp: StampRecord;
  readonly event: { readonly type: EventType; readonly data: EventData } | undefined;
};

/**
 * The stamp after registration says `said`; no event where nothing changed. A changed resource id or a new key raises the generation,
 * which ends the consent. Throws `KeyConflict` where a known `keyId` comes with another key.
 */
export function register(
  stampId: StampId,
  standing: StampRecord | undefined,
  said: Registration,
  now: Date,
  realNow: Date,
): Outcome {
  const { keys: saidKeys, ...facts } = said;
  const inDoubt = standing !== undefined && keysAreInDoubt(standing);
  const keys = mergeKeys(standing?.keys ?? [], saidKeys, realNow, inDoubt);
  if (standing === undefined) {
    const stamp: StampRecord = {
      ...facts,
      kind: "stamp",
      stampId,
      keys: keys.merged,
      registrationGeneration: 1,
      state: "enabled",
      createdOn: toUtcTime(now),
      updatedOn: toUtcTime(now),
      consentEpoch: 0,
      uploadEpoch: 0,
      load: noLoad,
    };
    return {
      stamp,
      event: { type: "stamp.registered", data: { stampId, registrationGeneration: 1, keyIds: keys.added } },
    };
  }
  const changed = [...changedFacts(standing, facts), ...(keys.changed ? ["keys"] : [])];
  if (changed.length === 0) return { stamp: standing, event: undefined };
  const newGeneration = !sameResource(facts, standing) || keys.added.length > 0;
  const updated: StampRecord = {
    ...standing,
    ...facts,
    keys: keys.merged,
    updatedOn: toUtcTime(now),
    ...(inDoubt && saidKeys.length > 0 ? { keysInDoubt: false } : {}),
  };
  const stamp = newGeneration ? nextGeneration(updated) : updated;
  return {
    stamp,
    event: {
      type: "stamp.updated",
      data: {
        stampId,
        registrationGeneration: stamp.registrationGeneration,
        changed,
        keyIdsAdded: keys.added,
        keyIdsRetired: keys.retired,
      },
    },
  };
}

/** Azure resource ids ignore case. */
const sameResource = (a: Pick<StampRecord, "registrationResourceId">, b: Pick<StampRecord, "registrationResourceId">) =>
  a.registrationResourceId.toLowerCase() === b.registrationResourceId.toLowerCase();

/** Consent belongs to one registration generation: the next one starts without. */
export function nextGeneration(stamp: StampRecord): StampRecord {
  const { consent: _ended, ...rest } = stamp;
  return {
    ...rest,
    registrationGeneration: stamp.registrationGeneration + 1,
    consentEpoch: stamp.consentEpoch + 1,
  };
}

const factNames = [
  "displayName",
  "stampVersion",
  "deploymentId",
  "cloud",
  "geography",
  "registrationResourceId",
] as const satisfies readonly (keyof Registration)[];

const changedFacts = (standing: StampRecord, said: Omit<Registration, "keys">): string[] =>
  factNames.filter((name) => standing[name] !== said[name]);

type SaidKey = Registration["keys"][number];
type MergedKeys = { merged: StampKeyRecord[]; added: string[]; retired: string[]; changed: boolean };

/**
 * The keys that registration vouches for. Those it leaves out stop at once; one that rotation added stays as long as the key that introduced
 * it does. After a compromise only those stay that it vouches for.
 */
function mergeKeys(
  standing: readonly StampKeyRecord[],
  said: readonly SaidKey[],
  realNow: Date,
  inDoubt: boolean,
): MergedKeys {
  const saidById = new Map(said.map((key) => [key.keyId, key]));
  const stays = inDoubt ? () => false : isBacked(standing, new Set(saidById.keys()));
  const result: MergedKeys = { merged: [], added: [], retired: [], changed: inDoubt && said.length > 0 };
  for (const key of standing) {
    const vouched = saidById.get(key.keyId);
    saidById.delete(key.keyId);
    if (vouched !== undefined) result.merged.push(vouchedFor(key, vouched, result, inDoubt));
    else if (stays(key)) result.merged.push(key);
    else result.merged.push(leftOut(key, realNow, result, inDoubt ? "compromise" : "registration"));
  }
  for (const key of saidById.values()) {
    result.merged.push({ ...key, addedBy: "registration", addedOn: toUtcTime(realNow) });
    result.added.push(key.keyId);
  }
  if (result.merged.length > mostKeys) throw new DomainError("KeyConflict", tooManyKeys);
  result.changed ||= result.added.length > 0 || result.retired.length > 0;
  return result;
}

const tooManyKeys = `A stamp can have ${mostKeys} keys over its life. Register it anew under another CloudID or ask the service's operators.`;

/** Whether a key that rotation added goes back to one that registration vouches for, by way of the keys that introduced it. */
function isBacked(standing: readonly StampKeyRecord[], said: ReadonlySet<string>): (key: StampKeyRecord) => boolean {
  const byId = new Map(standing.map((key) => [key.keyId, key]));
  const leavesSomeOut = standing.some(
    ({ keyId, addedBy, retiredBy }) => addedBy === "registration" && retiredBy !== "registration" && !said.has(keyId),
  );
  const backed = (key: StampKeyRecord): boolean => {
    if (said.has(key.keyId)) return true;
    if (key.addedBy === "registration") return false;
    const introducer = key.introducedBy === undefined ? undefined : byId.get(key.introducedBy);
    return introducer === undefined ? !leavesSomeOut : backed(introducer);
  };
  return backed;
}

function leftOut(
  key: StampKeyRecord,
  realNow: Date,
  result: MergedKeys,
  retiredBy: "registration" | "compromise",
): StampKeyRecord {
  const isOver = isRetired(key, realNow);
  if (isOver && retiredBy === "registration") return key;
  if (!isOver) result.retired.push(key.keyId);
  return { ...key, retiredOn: isOver && key.retiredOn !== undefined ? key.retiredOn : toUtcTime(realNow), retiredBy };
}

/**
 * A key that rotation retired stays retired: the registration service may not know yet. One that registration left out may come back, and
 * after a compromise each that it names, for the thief may have retired it.
 */
function vouchedFor(key: StampKeyRecord, said: SaidKey, result: MergedKeys, inDoubt: boolean): StampKeyRecord {
  if (!sameKey(key.jwk, said.jwk)) throw keyConflict(key.keyId);
  const { retiredOn, retiredBy, notBefore, notAfter, ...rest } = key;
  const comesBack = retiredBy === "registration" || retiredBy === "compromise" || (inDoubt && retiredBy !== undefined);
  if (comesBack) result.added.push(key.keyId);
  if (notBefore !== said.notBefore || notAfter !== said.notAfter || key.addedBy !== "registration")
    result.changed = true;
  return {
    ...rest,
    addedBy: "registration",
    ...(said.notBefore === undefined ? {} : { notBefore: said.notBefore }),
    ...(said.notAfter === undefined ? {} : { notAfter: said.notAfter }),
    ...(comesBack || retiredOn === undefined || retiredBy === undefined ? {} : { retiredOn, retiredBy }),
  };
}

const keyConflict = (keyId: string) =>
  new DomainError(
    "KeyConflict",
    `The keyId ${keyId} already names another key of this stamp. Give the new key a new keyId.`,
    {
      target: "/keys",
    },
  );

/**
 * The stamp after `signedWith` has brought a new key. Repeating it changes nothing. Throws `KeyConflict` where the `keyId` names another key,
 * the signing key itself, or one that was retired.
 */
export function rotateKey(
  standing: StampRecord,
  signedWith: string,
  said: Pick<KeyRotation, "keyId" | "jwk" | "retireCurrentOn">,
  now: Date,
  realNow: Date,
): Outcome {
  const known = standing.keys.find((key) => key.keyId === said.keyId);
  if (
    known !== undefined &&
    (!sameKey(known.jwk, said.jwk) || isRetired(known, realNow) || said.keyId === signedWith)
  ) {
    throw keyConflict(said.keyId);
  }
  if (known === undefined && standing.keys.length >= mostKeys) throw new DomainError("KeyConflict", tooManyKeys);
  const named = { keyId: said.keyId, jwk: said.jwk };
  const added: StampKeyRecord[] =
    known === undefined
      ? [{ ...named, addedBy: "rotation", addedOn: toUtcTime(realNow), introducedBy: signedWith }]
      : [];
  const keys = [
    ...standing.keys.map((key) => (key.keyId === signedWith ? retireBy(key, said.retireCurrentOn) : key)),
    ...added,
  ];
  const retires = keys.some((key, index) => key !== standing.keys[index] && index < standing.keys.length);
  if (added.length === 0 && !retires) return { stamp: standing, event: undefined };
  return {
    stamp: { ...standing, keys, updatedOn: toUtcTime(now) },
    event: {
      type: "stamp.keyRotated",
      data: {
        stampId: standing.stampId,
        keyId: said.keyId,
        currentKeyId: signedWith,
        ...(said.retireCurrentOn === undefined ? {} : { retireCurrentOn: said.retireCurrentOn }),
      },
    },
  };
}

/** Retirement is only ever moved forward. */
function retireBy(key: StampKeyRecord, on: KeyRotation["retireCurrentOn"]): StampKeyRecord {
  if (on === undefined || (key.retiredOn !== undefined && Date.parse(key.retiredOn) <= Date.parse(on))) return key;
  return { ...key, retiredOn: on, retiredBy: "rotation" };
}
