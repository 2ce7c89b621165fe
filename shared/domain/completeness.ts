import type { Completeness, RoleContent } from "../api/bundles.ts";
import type { BundleRecord } from "./bundle.ts";
import {
  type InventoryRecord,
  type InventoryWarning,
  inventoryWarning,
  type RoleZip,
  warningWords,
} from "./inventory.ts";
import { otherRole, shownRole } from "./roles.ts";

/**
 * Whether a bundle holds what was asked for: named rules over what its inventory shows, each a finding in words. One that proves something missing
 * makes it incomplete; one that leaves a doubt makes it unknown. An engineer reads findings before any grant, so a message holds counts, times, what
 * the stamp declared and published roles; other words of the bundle's content stand in `detail`, which its stamp alone is shown.
 */

export type CompletenessFacts = {
  readonly asked: Pick<BundleRecord, "mode" | "stampId" | "stampVersion" | "roles" | "logsFrom" | "logsTo">;
  readonly deploymentId: string | undefined;
  readonly zips: readonly Pick<RoleZip, "path" | "role" | "part">[];
  readonly warnings: Readonly<Partial<Record<InventoryWarning, number>>>;
  /** Times of the first and the last file written; absent where there is none. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Lines of the collection's own log with `PS>TerminatingError`; undefined where there is no such log. */
  readonly terminatingErrors: readonly string[] | undefined;
  readonly stampInformation: StampInformation | undefined;
  readonly contents: readonly RoleContent[];
};

/** `AzureStackStampInformation.json`, as far as it is read. */
export type StampInformation = {
  readonly CloudID?: string | undefined;
  readonly DeploymentID?: string | undefined;
  readonly StampVersion?: string | undefined;
};

type Finding = {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly shows: "missing" | "doubt" | "nothing";
};

/** A log is written some time after what it tells of. */
const slackMs = 30 * 60_000;

export function completenessOf(facts: CompletenessFacts): Completeness {
  const missingRoles = rolesMissing(facts);
  const findings = [
    ...roleFindings(missingRoles),
    ...partFindings(facts),
    ...damageFindings(facts),
    ...warningFindings(facts),
    ...windowFindings(facts),
    ...collectionFindings(facts, missingRoles),
    ...stampFindings(facts),
    ...emptyFindings(facts),
  ];
  const verdict = verdictOf(findings);
  const roles = verdict === "incomplete" ? rolesToCollect(facts, missingRoles) : undefined;
  return {
    verdict,
    findings: findings.map(({ shows: _shows, ...told }) => told),
    roles: [...facts.contents],
    ...(roles === undefined ? {} : { suggestedCommand: suggestedCommand(roles, facts.asked) }),
  };
}

function verdictOf(findings: readonly Finding[]): Completeness["verdict"] {
  if (findings.some(({ shows }) => shows === "missing")) return "incomplete";
  return findings.some(({ shows }) => shows === "doubt") ? "unknown" : "complete";
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const rolesMissing = ({ asked, zips }: CompletenessFacts): string[] =>
  (asked.roles ?? []).filter((role) => !zips.some((zip) => zip.role !== undefined && same(zip.role, role)));

const roleFindings = (missing: readonly string[]): Finding[] =>
  missing.map((role) => ({
    code: "RoleMissing",
    message: `The role ${role} was asked for, and no zip of it is in the bundle.`,
    shows: "missing",
  }));

/** The first part carries no number, the others theirs; the last one's number tells how many there are at least. */
function partFindings({ zips }: CompletenessFacts): Finding[] {
  const partsOf = new Map<string, Set<number>>();
  for (const { role, part } of zips) {
    if (role !== undefined) partsOf.set(role, (partsOf.get(role) ?? new Set()).add(part ?? 1));
  }
  return [...partsOf].flatMap(([role, parts]) =>
    numbersUpTo(Math.max(...parts))
      .filter((part) => !parts.has(part))
      .slice(0, mostPartsNamed)
      .map((part): Finding => {
        const shown = shownRole(role);
        const whose = shown === otherRole ? "a role outside the published list" : `the role ${shown}`;
        const message = `Part ${part} of ${whose} is missing, and a later part is there.`;
        return { code: "PartMissing", message, ...(shown === otherRole ? { detail: role } : {}), shows: "missing" };
      }),
  );
}

/** Whatever number a name holds, no more findings than a person reads. */
const mostPartsNamed = 20;
const numbersUpTo = (last: number): number[] => Array.from({ length: Math.min(last, 1000) }, (_, index) => index + 1);

function damageFindings({ warnings }: CompletenessFacts): Finding[] {
  const damaged = (warnings.damagedRoleZip ?? 0) + (warnings.roleZipTooLarge ?? 0);
  if (damaged === 0) return [];
  return [
    {
      code: "RoleZipDamaged",
      message: `${damaged} of the zips inside cannot be read, so what they should hold is missing.`,
      shows: "missing",
    },
  ];
}

/** What the inventory stumbled over, beside what is told above. */
const leavesDoubt: readonly InventoryWarning[] = [
  "damagedDirectory",
  "skippedRoleZip",
  "tooManyEntries",
  "tooMuchReading",
];

const warningFindings = ({ warnings }: CompletenessFacts): Finding[] =>
  inventoryWarning.options
    .filter((code) => warnings[code] !== undefined && code !== "damagedRoleZip" && code !== "roleZipTooLarge")
    .map((code) => ({
      code: `${code[0]?.toUpperCase()}${code.slice(1)}`,
      message: `${warningWords[code]} (${warnings[code]})`,
      shows: leavesDoubt.includes(code) ? "doubt" : "nothing",
    }));

function windowFindings({ asked, from, to }: CompletenessFacts): Finding[] {
  if (from === undefined || to === undefined) return [];
  const { logsFrom, logsTo } = asked;
  if (logsTo !== undefined && Date.parse(to) < Date.parse(logsTo) - slackMs) {
    const message = `Logs were asked for until ${logsTo}, and the last file was written at ${to}.`;
    return [{ code: "WindowEndsEarly", message, shows: "missing" }];
  }
  if (logsFrom === undefined || Date.parse(from) <= Date.parse(logsFrom) + slackMs) return [];
  // Where every file was written when it was collected, their times tell of the collection and of no log.
  if (logsTo !== undefined && Date.parse(from) >= Date.parse(logsTo) - slackMs) return [];
  const message = `Logs were asked for from ${logsFrom} on, and the first file was written at ${from}: whether it reaches back so far shows only inside it.`;
  return [{ code: "WindowStartUnseen", message, shows: "doubt" }];
}

/** "Errors in the output log can be ignored where no file is missing" (`DOMAIN.md`, Shapes and sizes). */
function collectionFindings({ terminatingErrors }: CompletenessFacts, missing: readonly string[]): Finding[] {
  if (terminatingErrors === undefined || terminatingErrors.length === 0) return [];
  const matters = missing.length > 0;
  return [
    {
      code: matters ? "CollectionFailed" : "CollectionErrorsHarmless",
      message: matters
        ? `The collection's log has ${terminatingErrors.length} terminating errors, and roles are missing.`
        : `The collection's log has ${terminatingErrors.length} terminating errors; no role is missing, so they do not matter.`,
      ...(matters ? { detail: terminatingErrors[0] ?? "" } : {}),
      shows: matters ? "missing" : "nothing",
    },
  ];
}

function stampFindings({ asked, deploymentId, stampInformation }: CompletenessFacts): Finding[] {
  if (stampInformation === undefined) return [];
  const { CloudID, DeploymentID, StampVersion } = stampInformation;
  const contradicts = (what: string, inside: string | undefined, known: string | undefined): Finding[] =>
    inside === undefined || known === undefined || same(inside, known)
      ? []
      : [
          {
            code: "StampContradicted",
            message: `The bundle's own stamp information names another ${what} than the stamp's, ${known}.`,
            detail: inside.slice(0, 64),
            shows: "doubt",
          },
        ];
  return [
    // A drop box stands where a stamp would, and its id is its own.
    ...contradicts("CloudID", CloudID, asked.mode === "dropBox" ? undefined : asked.stampId),
    ...contradicts("deployment id", DeploymentID, deploymentId),
    ...contradicts("stamp version", StampVersion, asked.stampVersion),
  ];
}

function emptyFindings({ zips }: CompletenessFacts): Finding[] {
  if (zips.some(({ role }) => role !== undefined)) return [];
  const message = "The bundle holds no role's zip, so what was collected cannot be told.";
  return [{ code: "NoRoleZips", message, shows: "doubt" }];
}

/** Those that are known to lack something; where that is not known, all that were asked for. */
function rolesToCollect({ asked, zips, warnings }: CompletenessFacts, missing: readonly string[]): readonly string[] {
  const isOnlyRoles = (warnings.damagedRoleZip ?? 0) + (warnings.roleZipTooLarge ?? 0) === 0;
  const withParts = zips.filter(({ part }) => part !== undefined).flatMap(({ role }) => commandRole(role, asked) ?? []);
  const named = [...new Set([...missing, ...withParts])];
  return isOnlyRoles && named.length > 0 ? named : (asked.roles ?? []);
}

/** A role of a zip's name as the command may name it: as it was asked for, or published. */
const commandRole = (role: string | undefined, { roles }: CompletenessFacts["asked"]): string | undefined => {
  if (role === undefined) return undefined;
  const shown = shownRole(role);
  return roles?.find((each) => same(each, role)) ?? (shown === otherRole ? undefined : shown);
};

/** A role's name as PowerShell may be given it: letters and digits, so that the line runs nothing else. */
const isPlain = (role: string): boolean => /^[A-Za-z0-9]{1,64}$/.test(role);

/**
 * One line for a session of the privileged endpoint. Its times are made outside of it: inside no expression runs, and `$using:` brings them in, as
 * the published examples of `Get-AzureStackLog` do.
 */
function suggestedCommand(roles: readonly string[], { logsFrom, logsTo }: CompletenessFacts["asked"]): string {
  const filter = roles.filter(isPlain);
  const byRole = filter.length === 0 ? "" : ` -FilterByRole ${filter.join(",")}`;
  const collect = `Get-AzureStackLog -OutputSasUri "<URL of a drop box>"${byRole}`;
  if (logsFrom === undefined || logsTo === undefined)
    return `Invoke-Command -Session $session -ScriptBlock { ${collect} }`;
  const times = `$from = [datetime]"${logsFrom}"; $to = [datetime]"${logsTo}"`;
  return `${times}; Invoke-Command -Session $session -ScriptBlock { ${collect} -FromDate $using:from -ToDate $using:to }`;
}

/** As an engineer is shown it, with or without a grant. Findings of the first version may hold content in their messages. */
export function withoutContent({
  version,
  completeness,
}: Pick<InventoryRecord, "version" | "completeness">): Completeness {
  const { findings, suggestedCommand, ...shown } = completeness;
  if (version === 1) return { ...shown, findings: findings.map(({ code }) => ({ code, message: toldToTheStamp })) };
  return {
    ...shown,
    findings: findings.map(({ code, message }) => ({ code, message })),
    ...(suggestedCommand === undefined ? {} : { suggestedCommand }),
  };
}

const toldToTheStamp =
  "The stamp's operator can read the words of this finding: ask them, or read the bundle under a grant.";
