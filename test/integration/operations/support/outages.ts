import { expect } from "vitest";
import { faultsOf } from "../../../support/ledger.ts";
import { expectRefusal } from "../../../support/system/expectations.ts";
import type { Answer } from "../../../support/system/http.ts";
import type { LedgerEvent } from "../../../support/system/shapes.ts";
import { type Call, type Fault, faults } from "./faults.ts";
import type { Stage } from "./stage.ts";

/** An operation whose storage fails at each of its calls in turn, in each way that it can. */

export type Attempt = {
  /** The operation, once; what has no answer of its own gives `undefined`, or throws. */
  readonly act: () => Promise<Answer | undefined>;
  /** Success, also of a repetition. */
  readonly statuses?: readonly number[];
  /** What the repetition of an operation that was done may be refused with. */
  readonly doneAlready?: string;
  /** The events of these partitions that it writes, each exactly so often however often it is tried. */
  readonly writes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What is left to a timer, run before the events are counted. */
  readonly heal?: () => Promise<void>;
  /** Beyond that. */
  readonly holds?: () => Promise<void>;
};

/** Types of events that tell of the outage itself, or of each repetition: they come as often as it does. */
const ofOutages: readonly string[] = ["bundle.verificationDelayed", "dropBox.urlIssued"];

export async function expectToOutlive(
  stage: Stage,
  prepare: () => Promise<Attempt>,
  only: (call: Call) => boolean = () => true,
): Promise<void> {
  const rehearsal = await prepare();
  const { result, calls } = await stage.faults.watching(rehearsal.act);
  expectSuccess(rehearsal, result);
  for (const [index, call] of calls.entries()) {
    if (!only(call)) continue;
    for (const fault of faults) {
      if (tellsNothingNew(fault, call)) continue;
      const place = `call ${index + 1}, ${call.method} ${call.path}, ${fault}`;
      await outlive(stage, await prepare(), fault, index + 1, place);
    }
  }
}

/** A read whose answer is lost is a read that never arrived. */
const tellsNothingNew = (fault: Fault, { method }: Call): boolean =>
  (method === "GET" || method === "HEAD") && (fault === "answerLost" || fault === "sentTwice");

async function outlive(stage: Stage, attempt: Attempt, fault: Fault, n: number, place: string): Promise<void> {
  const before = await eventsOf(stage, attempt);
  const failed = await stage.faults.during(fault, n, () => outcomeOf(attempt.act));
  if (failed.kind === "answer") expectNoHarm(attempt, failed.answer, place);
  const retried = await outcomeOf(attempt.act);
  if (retried.kind === "thrown") throw new Error(`The repetition failed (${place})`, { cause: retried.error });
  expectSuccess(attempt, retried.answer, place);
  await attempt.heal?.();
  const after = await eventsOf(stage, attempt);
  for (const [partition, expected] of Object.entries(attempt.writes)) {
    const now = after.get(partition) ?? [];
    expect(faultsOf(now), `${partition} (${place})`).toEqual([]);
    const written = now.slice(before.get(partition)?.length ?? 0).filter((event) => !ofOutages.includes(event.type));
    expect(counts(written), `${partition} (${place})`).toEqual(expected);
  }
  await attempt.holds?.();
}

type Outcome = { kind: "answer"; answer: Answer | undefined } | { kind: "thrown"; error: unknown };

async function outcomeOf(act: Attempt["act"]): Promise<Outcome> {
  try {
    return { kind: "answer", answer: await act() };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

/** Either it worked all the same, or it is 503 with `Retry-After`. */
function expectNoHarm(attempt: Attempt, answer: Answer | undefined, place: string): void {
  if (answer?.status === 503) expectRefusal(answer, 503, "ServiceUnavailable");
  else expectSuccess(attempt, answer, place);
}

function expectSuccess(attempt: Attempt, answer: Answer | undefined, place = "without a fault"): void {
  if (answer === undefined) return;
  const { doneAlready, statuses = [200, 201, 202, 204] } = attempt;
  if (doneAlready !== undefined && answer.headers["x-ms-error-code"] === doneAlready) return;
  expect(statuses, `${answer.status} ${answer.text.slice(0, 500)} (${place})`).toContain(answer.status);
}

async function eventsOf(stage: Stage, attempt: Attempt): Promise<Map<string, LedgerEvent[]>> {
  const partitions = Object.keys(attempt.writes);
  const read = await Promise.all(partitions.map((partition) => stage.events(partition)));
  return new Map(partitions.map((partition, index) => [partition, read[index] ?? []]));
}

const counts = (events: readonly LedgerEvent[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(events, (event) => event.type)].map(([type, same]) => [type, same.length]));

/** After the sweeper's next rounds the only landing containers are those of bundles that are not at their end (invariants 2 and 3). */
export async function expectNoOrphans(stage: Stage): Promise<void> {
  const later = stage.another({ offsetDays: 0.1 });
  await later.runTimer("sweepUnfinished");
  await later.runTimer("sweepUnfinished");
  expect(await landingContainers(stage)).toEqual(await landingsInUse(stage));
}

async function landingContainers(stage: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of stage.blobs.listContainers({ prefix: "landing-" })) names.push(name);
  return names.sort();
}

async function landingsInUse({ app }: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { item: stampId } of app.world.directory.senders()) {
    for await (const { item: bundleId } of app.world.stamps.history(stampId)) {
      const bundle = await app.world.stamps.bundle(stampId, bundleId);
      if (bundle?.state === "created" || bundle?.state === "submitted") names.push(bundle.landing);
    }
  }
  return names.sort();
}
