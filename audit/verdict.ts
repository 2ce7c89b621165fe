import { counted } from "./check.ts";
import type { Anchors, Summary } from "./verify.ts";

/** What a verification says to its reader: what was checked, and what that is worth. */

/** The lines after the problems. */
export function verdict(directory: string, summary: Summary, { trusted }: Anchors, problems: number): string[] {
  const { events, partitions, checkpoints, keys, sealedEvents, held } = summary;
  const last = checkpoints.at(-1);
  const unsealed = Math.max(0, events - sealedEvents);
  return [
    `The export in ${directory}${last === undefined ? "" : `, of ${last.claims.iss}`}`,
    `  ${counted(events, "event")} in ${counted(partitions, "partition")}: canonical form, order, hashes, chains`,
    `  ${counted(checkpoints.length, "checkpoint")}${
      last === undefined ? "" : `, the newest of ${last.claims.sealedOn}`
    }: signatures, chain, and each tree made again from the events`,
    ...keys.map(({ kid, thumbprint }) => `  signed with key ${kid}, thumbprint ${thumbprint}`),
    ...aheadOfTime(summary),
    ...(unsealed > 0
      ? [`  ${counted(unsealed, "event")} no checkpoint covers yet: only the chains speak for them`]
      : []),
    ...(held === undefined ? [] : [`  compared with checkpoint ${held}, which you hold`]),
    conclusion(summary, trusted, problems),
  ];
}

/** Where retention's clock was moved (`CLOCK_OFFSET_DAYS`), which no service in use may be. */
function aheadOfTime({ checkpoints }: Summary): string[] {
  const ahead = checkpoints.find(({ claims }) => Date.parse(claims.sealedOn) > (claims.iat + 3600) * 1000);
  return ahead === undefined
    ? []
    : [
        `  NOTE checkpoint ${ahead.claims.seq} was sealed by a clock that ran ahead of its signature: ${ahead.claims.sealedOn}`,
      ];
}

function conclusion({ held }: Summary, trusted: readonly string[], problems: number): string {
  if (problems > 0) return `${counted(problems, "problem")}: this export does not hold.`;
  if (trusted.length > 0 && held !== undefined)
    return "Consistent and authenticated: signed by the trusted key, and all that you held before is still there.";
  if (trusted.length > 0)
    return "Consistent and authenticated: signed by the trusted key. Whether anything newer was cut off, only --since can tell.";
  if (held !== undefined)
    return `Consistent, and authenticated up to checkpoint ${held}. What is newer nobody vouches for: name the key with --trust.`;
  return "Consistent, and not authenticated: whoever made this export may have made up all of it. Name what you trust with --trust or --since.";
}
