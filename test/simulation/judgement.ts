import type { Bundle, DropBoxBundle } from "../support/system/shapes.ts";
import type { Ending, Known, KnownBundle } from "./known.ts";

/** What a bundle may have become, by what was asked of the service and what it answered; time has passed for all that was due. */

const hourMs = 3_600_000;
const expiryMs = 48 * hourMs;

/** As its stamp's or its drop box's history shows it. */
export type FoundBundle = Bundle | DropBoxBundle;

export type Times = {
  readonly now: number;
  /** When a bundle created then may be due by age. */
  readonly ageDates: (createdOn: string) => readonly number[];
};

/** What is wrong with the bundle as its stamp's history shows it, in words; empty where nothing is. */
export function faultsOf(known: Known, asked: KnownBundle, found: FoundBundle, times: Times): string[] {
  return [
    ...(wasSubmitted(found) ? ofSubmitted(known, asked, found, times) : ofUnsubmitted(known, asked, found, times)),
    ...(asked.createdOn === undefined || asked.createdOn === Date.parse(found.createdOn) ? [] : ["its creation moved"]),
    ...(asked.mode === found.mode && asked.sizeBytes === found.sizeBytes ? [] : ["it is another than was asked for"]),
    ...(isSameCustody(asked.custody, found.custody) ? [] : ["its way here is told otherwise"]),
    ...(found.purge !== undefined && found.purge.deletedOn === undefined
      ? ["its deletion was intended and not done"]
      : []),
  ].map((fault) => `bundle ${asked.bundleId}, ${found.state}: ${fault}`);
}

const isSameCustody = (asked: KnownBundle["custody"], found: FoundBundle["custody"]): boolean =>
  asked?.keyId === found?.keyId && asked?.signedOn === found?.signedOn;

const wasSubmitted = ({ submittedOn }: FoundBundle): boolean => submittedOn !== undefined;

function ofUnsubmitted(known: Known, asked: KnownBundle, found: FoundBundle, { now }: Times): string[] {
  const created = Date.parse(found.createdOn);
  const inTime = (ending: Ending) =>
    ending.askedOn < created + expiryMs && (ending.acknowledgedOn ?? Infinity) >= created;
  const surely = (ending: Ending) =>
    ending.askedOn > created && (ending.acknowledgedOn ?? Infinity) < Math.min(now, created + expiryMs);
  const stamp = known.stamps.get(asked.stampId);
  const endings = [...(stamp?.disablings ?? []), ...(asked.mode === "proactive" ? (stamp?.consentEndings ?? []) : [])];
  return [
    ...(asked.submitted === "acknowledged" ? ["its submit was acknowledged"] : []),
    ...(found.state === "canceled" && asked.canceled === undefined && !endings.some(inTime)
      ? ["nothing canceled it"]
      : []),
    ...(asked.canceled === "acknowledged" && found.state !== "canceled" ? ["its cancel was acknowledged"] : []),
    ...(endings.some(surely) && found.state !== "canceled" ? ["its stamp or consent ended"] : []),
    ...(found.state === "expired" && created + expiryMs > now ? ["it had time left"] : []),
    ...(found.state === "created" && created + expiryMs < now - hourMs ? ["it should have expired"] : []),
    ...(["created", "canceled", "expired"].includes(found.state) ? [] : ["it was not submitted"]),
  ];
}

function ofSubmitted(known: Known, asked: KnownBundle, found: FoundBundle, { now, ageDates }: Times): string[] {
  const basis = found.purge?.basis;
  const dates = ageDates(found.createdOn);
  const mustBeErased =
    asked.erased === "acknowledged" &&
    asked.erasureTaken === undefined &&
    (asked.erasureDueOn ?? Infinity) < now - 2 * hourMs;
  const closed = [...asked.linkedTo].some((each) => (known.cases.get(each)?.closings.length ?? 0) > 0);
  return [
    ...(asked.submitted === undefined ? ["nobody submitted it"] : []),
    ...(asked.canceled === "acknowledged" ? ["its cancel was acknowledged"] : []),
    ...(["accepted", "rejected", "purged"].includes(found.state) ? [] : ["it has no verdict"]),
    ...(found.state === "accepted" && !asked.isSound ? ["it is not what it should be"] : []),
    ...(found.state === "rejected" && asked.isSound && !asked.overwritten
      ? [`nothing is wrong with it: ${found.rejection?.code}`]
      : []),
    ...(found.state === "accepted" && found.sha256 !== asked.sha256 ? ["it has other bytes"] : []),
    ...(found.state === "accepted" && Math.max(...dates) <= now ? ["it is due by age"] : []),
    ...(found.state === "accepted" && mustBeErased ? ["its erasure is due"] : []),
    ...(basis === "age" && Math.min(...dates) > Date.parse(found.purge?.intendedOn ?? "")
      ? ["it was purged before its age"]
      : []),
    ...(basis === "erasure" && asked.erased === undefined ? ["nobody erased it"] : []),
    ...(basis === "caseClosed" && !closed ? ["no case of it was closed"] : []),
  ];
}
