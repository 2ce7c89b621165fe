import { type DropBox, dropBoxShape } from "../support/system/dropBoxes.ts";
import type { FoundBundle, Times } from "./judgement.ts";
import type { KnownBox, KnownWrite } from "./known.ts";
import type { Simulation } from "./simulation.ts";

/** What a drop box may have become, by what was asked for and written to it. */

const hourMs = 3_600_000;
const quietMs = 24 * hourMs;
/** What happens at once may be seen in any order. */
const atOnceMs = 0.5 * hourMs;
/** Sweeper and queue have had so long. */
const patienceMs = 4 * hourMs;

/** Every box that there is, as its case shows it. */
export async function allBoxes({ known, stage }: Simulation): Promise<Map<string, DropBox>> {
  const auditor = await stage().person("A");
  const found = new Map<string, DropBox>();
  for (const { caseNumber, dropBoxId } of known.boxes.values()) {
    const answer = await auditor.call("GET", `/cases/${caseNumber}/dropBoxes/${dropBoxId}`);
    if (answer.status === 200) found.set(dropBoxId, dropBoxShape.parse(answer.json));
    else if (answer.status !== 404) throw new Error(`Drop box ${dropBoxId}: ${answer.status} ${answer.text}`);
  }
  return found;
}

/** What is wrong with the box and with what became of its files, in words; empty where nothing is. */
export function faultsOfBox(
  simulation: Simulation,
  asked: KnownBox,
  found: DropBox | undefined,
  bundles: ReadonlyMap<string, FoundBundle>,
  times: Times,
): string[] {
  const faults =
    found === undefined
      ? asked.created === "acknowledged"
        ? ["is lost"]
        : []
      : [...ofItself(simulation, asked, found, times), ...ofFiles(asked, found, bundles)];
  return faults.map((fault) => `drop box ${asked.dropBoxId}, ${found?.state}: ${fault}`);
}

function ofItself({ known }: Simulation, asked: KnownBox, found: DropBox, { now }: Times): string[] {
  const expires = Date.parse(found.expiresOn);
  const mustBeClosed =
    Math.min(expires, lastSign(asked, found, Infinity) + quietMs) < now - patienceMs || asked.closed === "acknowledged";
  return [
    ...(mustBeClosed && found.state !== "closed" ? ["it should be closed"] : []),
    ...(found.closing === undefined || found.state === "open"
      ? []
      : ofReason(found.closing.reason, {
          abandoned: asked.created !== "acknowledged",
          caseClosed: (known.cases.get(asked.caseNumber)?.closings.length ?? 0) > 0,
          expired: Date.parse(found.closing.on) >= expires,
          quiet: Date.parse(found.closing.on) >= lastSign(asked, found, Date.parse(found.closing.on)) + quietMs,
          requested: asked.closed !== undefined,
        })),
  ];
}

const ofReason = (reason: string, allowed: Readonly<Record<string, boolean>>): string[] =>
  allowed[reason] === true ? [] : [`nothing closed it as ${reason}`];

/** The last time before `until` that a box was opened or written to; storage tells seconds. */
const lastSign = ({ writes }: KnownBox, { createdOn }: DropBox, until: number): number =>
  Math.max(
    Date.parse(createdOn),
    ...writes.map(({ writtenOn }) => writtenOn - 1000).filter((on) => on < until - atOnceMs),
  );

/** What was written before it began to close, and not overwritten, is a bundle or refused aloud. */
function ofFiles(asked: KnownBox, found: DropBox, bundles: ReadonlyMap<string, FoundBundle>): string[] {
  if (found.state !== "closed" || found.arrived === undefined) return [];
  const { files, refused } = found.arrived;
  const refusedFor = (...codes: readonly string[]) =>
    refused.reduce((sum, { code, files: some }) => sum + (codes.includes(code) ? some : 0), 0);
  const closing = Date.parse(found.closing?.on ?? "");
  const settled = [...Map.groupBy(asked.writes, ({ path }) => path).values()]
    .flatMap((versions) => versions.at(-1) ?? [])
    .filter(({ writtenOn }) => writtenOn < closing);
  const isTaken = ({ bundle }: KnownWrite) => bundle !== undefined && bundles.has(bundle.bundleId);
  const lost = settled.filter((each) => each.bundle !== undefined && !isTaken(each));
  const empty = settled.filter(({ bundle }) => bundle === undefined);
  const taken = [...bundles.values()].filter(({ stampId }) => stampId === asked.stampId);
  return [
    ...(lost.length > refusedFor("TooLate") ? [`${lost.length} files are neither taken nor refused`] : []),
    ...(empty.length > refusedFor("EmptyFile") ? ["an empty file is not refused"] : []),
    ...(files !== taken.length ? [`it tells of ${files} files, and ${taken.length} are bundles`] : []),
    ...(refusedFor("UnusableBlob", "FileTooLarge", "TooManyFiles") > 0 ? ["nothing is wrong with its files"] : []),
  ];
}
