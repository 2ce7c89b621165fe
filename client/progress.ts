import { duration, type Output, size } from "./output.ts";
import type { RetryNotice } from "./retry.ts";
import type { SendProgress } from "./send.ts";

/** Shows an upload's progress: one line drawn again on a terminal, a line for each tenth elsewhere, JSON lines for scripts. */

export type ProgressDisplay = {
  readonly show: (progress: SendProgress) => void;
  readonly retry: (notice: RetryNotice) => void;
  /** Leaves the terminal's line, so that what follows starts on its own. */
  readonly end: () => void;
};

const saying = {
  creating: "Asking the service to take the bundle…",
  committing: "All bytes are there; submitting…",
  verifying: "The service has it and verifies it…",
} as const;

export const progressDisplay = (output: Output, now: () => number = Date.now): ProgressDisplay =>
  output.event === undefined ? forPeople(output, now) : forScripts(output.event, now);

/** An event for each phase, each percent and each retry. */
function forScripts(event: NonNullable<Output["event"]>, now: () => number): ProgressDisplay {
  const speed = speedometer(now);
  let percent = -1;
  return {
    end: () => undefined,
    show: (progress) => {
      if (progress.phase !== "uploading") return event({ event: "progress", ...progress });
      const bytesPerSecond = speed(progress.sentBytes);
      const reached = Math.floor((100 * progress.doneBytes) / progress.totalBytes);
      if (reached > percent) event({ event: "progress", ...progress, ...pace(progress, bytesPerSecond) });
      percent = Math.max(percent, reached);
    },
    retry: ({ attempt, tries, delayMs, reason }) =>
      event({ event: "retry", reason: reason.message, attempt, tries, delayMs: Math.round(delayMs) }),
  };
}

/** Speed and time left, as soon as there is a speed. */
const pace = ({ doneBytes, totalBytes }: Uploading, bytesPerSecond: number) =>
  bytesPerSecond > 0
    ? {
        bytesPerSecond: Math.round(bytesPerSecond),
        secondsLeft: Math.ceil((totalBytes - doneBytes) / bytesPerSecond),
      }
    : {};

function forPeople(output: Output, now: () => number): ProgressDisplay {
  const { terminal } = output;
  const speed = speedometer(now);
  let drawn = false;
  let tenth = -1;
  let lastComplaint = "";

  function draw(line: string): void {
    drawn = true;
    terminal?.write(`\r\u001b[2K${line.slice(0, (terminal.columns || 80) - 1)}`);
  }
  function end(): void {
    if (drawn) terminal?.write("\n");
    drawn = false;
  }
  function say(line: string): void {
    end();
    output.note(line);
  }

  return {
    end,
    show: (progress) => {
      if (progress.phase !== "uploading")
        return terminal === undefined ? say(saying[progress.phase]) : draw(saying[progress.phase]);
      const line = uploadLine(progress, speed(progress.sentBytes), terminal === undefined ? 0 : 24);
      if (terminal !== undefined) return draw(line);
      const reached = Math.floor((10 * progress.doneBytes) / progress.totalBytes);
      if (reached > tenth) say(line);
      tenth = Math.max(tenth, reached);
    },
    retry: ({ attempt, tries, delayMs, reason }) => {
      // The blocks in flight fail together, and once is enough to know.
      const complaint = `${reason.message} ${attempt}`;
      if (complaint !== lastComplaint)
        say(`${reason.message}. Trying again in ${duration(delayMs / 1000)} (${attempt} of ${tries - 1}).`);
      lastComplaint = complaint;
    },
  };
}

type Uploading = Extract<SendProgress, { phase: "uploading" }>;

/** `[████░░░░] 42 %  17.3 of 41.3 MB  9.1 MB/s  3 s left`, the bar that many characters wide. */
export function uploadLine({ doneBytes, totalBytes }: Uploading, bytesPerSecond: number, barWidth: number): string {
  const share = doneBytes / totalBytes;
  const filled = Math.round(share * barWidth);
  const bar = barWidth === 0 ? "" : `[${"█".repeat(filled)}${"░".repeat(barWidth - filled)}] `;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const rate = bytesPerSecond > 0 ? `  ${size(bytesPerSecond)}/s` : "";
  const left =
    bytesPerSecond > 0 && doneBytes < totalBytes ? `  ${duration((totalBytes - doneBytes) / bytesPerSecond)} left` : "";
  return `${bar}${percent}  ${size(doneBytes)} of ${size(totalBytes)}${rate}${left}`;
}

/** Milliseconds that the shown rate looks back: long enough to be calm, short enough to notice a line that drops. */
const windowMs = 20_000;

/** Bytes per second over the last seconds, from the bytes sent so far. */
function speedometer(now: () => number): (sentBytes: number) => number {
  const readings: { at: number; sentBytes: number }[] = [];
  return (sentBytes) => {
    const at = now();
    readings.push({ at, sentBytes });
    while (readings.length > 2 && at - (readings[0]?.at ?? at) > windowMs) readings.shift();
    const first = readings[0];
    return first === undefined || at === first.at ? 0 : ((sentBytes - first.sentBytes) * 1000) / (at - first.at);
  };
}
