import { type Caller, callerNames, callers, explained } from "./callers.ts";
import { type Cell, cells, operationIds } from "./cells.ts";
import type { Situation } from "./situations.ts";
import { describeAll } from "./words.ts";

/** The matrix as tables for people to read: nothing is left out, and what is the same for several callers or situations stands once. */

const begin = "<!-- begin of what `npm run docs` writes -->";
const end = "<!-- end of what `npm run docs` writes -->";

/** The document with its generated part made anew. */
export function withMatrix(document: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error("The document has no place for the matrix.");
  return `${document.slice(0, from)}${begin}\n\n${matrix()}\n\n${document.slice(to)}`;
}

const matrix = (): string =>
  [
    `${operationIds.length} routes, ${callerNames.length} kinds of caller, every situation: ${cells.length} cells.`,
    table(
      ["caller", "who that is"],
      callerNames.map((caller) => [callers[caller], explained[caller]]),
    ),
    "## Refused everywhere",
    "By every route that takes a credential at all.",
    table(
      ["caller", "answer"],
      refusedEverywhere.map((caller) => [callers[caller], guarded[0]?.verdicts[caller] ?? ""]),
    ),
    ...[...sections].flatMap(([title, own]) => [`## ${title}`, sectionTable(own)]),
  ].join("\n\n");

/** A route in one situation, and what each caller is answered there. */
type Row = {
  readonly route: string;
  readonly resource: string;
  readonly situation: Situation;
  readonly verdicts: Readonly<Partial<Record<Caller, string>>>;
};

const rows: readonly Row[] = [
  ...Map.groupBy(cells, (cell) => JSON.stringify([cell.operationId, cell.situation])).values(),
].map(rowOf);

function rowOf(own: readonly Cell[]): Row {
  const [first] = own;
  if (first === undefined) throw new Error("A row has cells.");
  return {
    route: `${first.verb} ${first.path}`,
    resource: first.operationId.split("_", 1)[0] ?? "",
    situation: first.situation,
    verdicts: Object.fromEntries(own.map(({ caller, verdict }) => [caller, verdict])),
  };
}

const verdictsOf = (these: readonly Row[], caller: Caller): string =>
  JSON.stringify(these.map((row) => row.verdicts[caller]));

const isForAnyone = (row: Row): boolean => new Set(Object.values(row.verdicts)).size === 1;
const guarded = rows.filter((row) => !isForAnyone(row));
const refusedEverywhere = callerNames.filter(
  (caller) => new Set(guarded.map((row) => row.verdicts[caller])).size === 1,
);
const sections = Map.groupBy(rows, (row) => row.resource);

/** Callers that are answered alike in all of the section share a column, situations that are answered alike a line. */
function sectionTable(own: readonly Row[]): string {
  const shown = own.every(isForAnyone)
    ? callerNames
    : callerNames.filter((caller) => !refusedEverywhere.includes(caller));
  const columns = [...Map.groupBy(shown, (caller) => verdictsOf(own, caller)).values()];
  const lines = [...Map.groupBy(own, (row) => row.route)].flatMap(([route, ofRoute]) => {
    const alike = [
      ...Map.groupBy(ofRoute, (row) => columns.map(([first]) => first && row.verdicts[first]).join()).values(),
    ];
    const all = ofRoute.map((row) => row.situation);
    return alike.flatMap((some) =>
      describeAll(
        some.map((row) => row.situation),
        all,
      ).map((where) => [
        `\`${route}\``,
        where || "always",
        ...columns.map(([first]) => (first && some[0]?.verdicts[first]) ?? ""),
      ]),
    );
  });
  return table(["route", "where", ...columns.map(headOf)], lines);
}

const headOf = (some: readonly Caller[]): string =>
  some.length === callerNames.length ? "everybody" : some.map((caller) => callers[caller]).join(", ");

/** Aligned as the formatter would have it. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...lines].map((line) => (line[column] ?? "").length)));
  const padded = [head, widths.map((width) => "-".repeat(width)), ...lines].map((line) =>
    widths.map((width, column) => (line[column] ?? "").padEnd(width)),
  );
  return padded.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
