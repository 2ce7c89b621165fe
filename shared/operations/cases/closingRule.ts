import { type CaseNumber, toUtcTime } from "../../api/primitives.ts";
import { isOutage } from "../../errors.ts";
import { eachIsolated, take } from "../bounded.ts";
import { type ClosingRule, HeadMoved, type Page, type World } from "../needs.ts";
import { bringAllUpToDate, bringUpToDate } from "./closedCases.ts";

/**
 * Applies a changed `PURGE_AFTER_CASE_CLOSE_DAYS` to cases that were closed before it changed. A run takes a bounded share and remembers its place.
 * First come the bundles that have such a date, then, where the setting is on, the links of closed cases.
 */

type Needs = Pick<World, "cases" | "clock" | "directory" | "rules" | "runs" | "schedule" | "stamps">;

/** Rows that one run looks at. */
const usualRows = 500;

/** An instance with the former setting may serve for a while after the first one with the new setting: all of it is gone through again. */
const secondAfterMs = 3_600_000;

export async function applyClosingRule(world: Needs, rowsPerRun = usualRows): Promise<void> {
  const now = world.clock.now();
  const days = world.rules.purgeAfterCaseCloseDays ?? null;
  const standing = await world.runs.closingRule();
  const rule = nextRule(standing?.value, days, now);
  if (rule.list === "done") return;
  const first = await goOn(world, rule, rowsPerRun);
  const hasNextList = rule.list === "due" && first.next.list === "cases";
  const { next, failure = first.failure } = hasNextList ? await goOn(world, first.next, rowsPerRun) : first;
  await keepPlace(world, next, standing?.etag);
  if (failure !== undefined) throw failure;
}

/** Another run that has gone on meanwhile keeps its own place. */
async function keepPlace({ runs }: Needs, rule: ClosingRule, etag: string | undefined): Promise<void> {
  try {
    await runs.keepClosingRule(rule, etag);
  } catch (error) {
    if (!(error instanceof HeadMoved)) throw error;
  }
}

function nextRule(standing: ClosingRule | undefined, days: number | null, now: Date): ClosingRule {
  if (standing === undefined || standing.days !== days) {
    return { days, since: toUtcTime(now), list: "due", isSecond: false };
  }
  const isSecondDue =
    standing.list === "done" && !standing.isSecond && now.getTime() >= Date.parse(standing.since) + secondAfterMs;
  return isSecondDue ? { days, since: standing.since, list: "due", isSecond: true } : standing;
}

/** Gives where the next run goes on. What fails for another reason than an outage is left to the second time. */
async function goOn(
  world: Needs,
  rule: ClosingRule,
  rowsPerRun: number,
): Promise<{ next: ClosingRule; failure?: unknown }> {
  const { after: _former, ...rest } = rule;
  const lists = {
    due: () =>
      goThrough(world.schedule.early(rule.after), rowsPerRun, async (wish) => {
        if (wish.basis === "caseClosed") await bringUpToDate(world, wish);
      }),
    cases: () =>
      goThrough(world.directory.cases(rule.after), rowsPerRun, (caseNumber) => ofClosedCase(world, caseNumber)),
  };
  if (rule.list === "done") return { next: rule };
  const { after, failure } = await lists[rule.list]();
  if (after !== undefined) return { next: { ...rest, after }, failure };
  const list = rule.list === "due" && rule.days !== null ? "cases" : "done";
  return { next: { ...rest, list }, failure };
}

async function ofClosedCase(world: Needs, caseNumber: CaseNumber): Promise<void> {
  if ((await world.cases.head(caseNumber)).state?.state === "closed") await bringAllUpToDate(world, caseNumber);
}

/** Works on the next rows. Gives the place of the last, undefined where none follow. Throws where storage does not answer. */
async function goThrough<T>(rows: Page<T>, rowsPerRun: number, work: (item: T) => Promise<void>) {
  const { taken, more } = await take(rows, rowsPerRun);
  const after = more ? taken.at(-1)?.cursor : undefined;
  try {
    await eachIsolated(taken, 8, ({ item }) => work(item));
    return { after };
  } catch (failure) {
    if (holdsOutage(failure)) throw failure;
    return { after, failure };
  }
}

const holdsOutage = (error: unknown): boolean =>
  error instanceof AggregateError ? error.errors.some(holdsOutage) : isOutage(error);
