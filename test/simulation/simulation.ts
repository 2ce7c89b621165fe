import { withSink } from "../../shared/log.ts";
import type { Stage } from "../integration/operations/support/stage.ts";
import type { Answer } from "../support/system/http.ts";
import { type Chance, chanceOf } from "./chance.ts";
import type { Known } from "./known.ts";
import type { Perils } from "./perils.ts";
import type { VirtualTime } from "./time.ts";

/** What everybody in a simulation shares, and how they speak with the service. */

export type Size = {
  readonly start: Date;
  readonly seed: number;
  readonly days: number;
  readonly stamps: number;
  readonly cases: number;
  /** About how many are asked for; without consent, or of a disabled stamp, one in five is refused. */
  readonly bundles: number;
  /** How long is at once. */
  readonly momentHours: number;
  /** How often all containers are listed. */
  readonly lookHours: number;
  /** Days after which bytes are purged; ten more are the line that nothing outlives (`DESIGN.md`, Time). */
  readonly purgeAfterDays: number;
  /** Timers come so many times as seldom as their rhythm says. */
  readonly timerPace: number;
  /** How likely a request or a run of a timer dies. */
  readonly peril: number;
};

export type Simulation = {
  readonly size: Size;
  readonly time: VirtualTime;
  readonly perils: Perils;
  readonly known: Known;
  /** The instance that serves now; it is replaced every day. */
  readonly stage: () => Stage;
  /** How often something happened, by name. */
  readonly tally: Map<string, number>;
};

export const count = ({ tally }: Pick<Simulation, "tally">, what: string): void =>
  void tally.set(what, (tally.get(what) ?? 0) + 1);

export const streamOf = ({ size }: Simulation, name: string): Chance => chanceOf(size.seed, name);

/** Runs what is no request: its lines are counted where they alert, and go nowhere. */
export function quietly<T>(simulation: Simulation, work: () => Promise<T>): Promise<T> {
  const sink = (_level: string, line: string) => {
    const { event, alert }: { event?: unknown; alert?: unknown } = JSON.parse(line);
    if (alert === true) count(simulation, `alert ${String(event)}`);
  };
  return withSink(sink, work);
}

export type Outcome =
  | { readonly kind: "done"; readonly answer: Answer; readonly sure: boolean }
  | { readonly kind: "refused"; readonly code: string; readonly sure: boolean }
  | { readonly kind: "unsure" };

/** The most storage calls that a request makes. */
const callsOfARequest = 24;
const patience = 0.85;

/**
 * Sends until an answer comes that is no 503, as a client would, hours apart, and gives up at some point. A refusal that is not among
 * `refusals`, and any 500, ends the simulation. `sure`: every try was answered.
 */
export async function insist(
  simulation: Simulation,
  chance: Chance,
  what: string,
  send: () => Promise<Answer>,
  refusals: readonly string[],
): Promise<Outcome> {
  let sure = true;
  for (;;) {
    const tried = await simulation.perils.risk(chance, callsOfARequest, send);
    const answer = tried.kind === "done" ? tried.value : undefined;
    if (answer !== undefined && answer.status !== 503) {
      if (answer.status < 300) {
        count(simulation, what);
        return { kind: "done", answer, sure };
      }
      const code = answer.headers["x-ms-error-code"] ?? String(answer.status);
      if (!refusals.includes(code)) throw new Error(`${what}: ${answer.status} ${answer.text.slice(0, 1000)}`);
      count(simulation, `${what}: ${code}`);
      return { kind: "refused", code, sure };
    }
    sure = false;
    if (!chance.happens(patience)) return { kind: "unsure" };
    await simulation.time.pass(chance.hours(1));
  }
}

/** What is known of something that was asked for, by what came of it. */
export const heardOf = (outcome: Outcome): "done" | "refused" | "unsure" =>
  outcome.kind === "refused" && !outcome.sure ? "unsure" : outcome.kind;

/** Sends to a storage URL; once more, as any client does, where storage closed an idle connection just as it was used again, or stayed silent. */
export async function throughUrl(simulation: Simulation, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ECONNRESET" && code !== "NoAnswer") throw error;
    count(simulation, `sent to storage once more: ${code}`);
    return await send();
  }
}
