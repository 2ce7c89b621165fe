import type { Limits } from "../domain/storms.ts";
import type { OldestVersions } from "../domain/versions.ts";
import type { FalseClaims } from "./falseClaims.ts";
import type { Cases } from "./needs/cases.ts";
import type { Clock, Log, Tracing } from "./needs/clock.ts";
import type { Contents } from "./needs/contents.ts";
import type { Days, Storehouse } from "./needs/days.ts";
import type { Intake } from "./needs/intake.ts";
import type { Boxes, Landing } from "./needs/landing.ts";
import type { Events } from "./needs/ledger.ts";
import type { Papers } from "./needs/papers.ts";
import type { People } from "./needs/people.ts";
import type { ExtractionQueue, VerificationQueue } from "./needs/queues.ts";
import type { AccessIndex, Directory, Rollups } from "./needs/reports.ts";
import type { Schedule } from "./needs/schedule.ts";
import type { Checkpoints, Leaves, Records, Runs, Service } from "./needs/service.ts";
import type { Stamps } from "./needs/stamps.ts";
import type { PurgeDates } from "./purgeDates.ts";
import type { SingleFlight } from "./singleFlight.ts";

export type * from "./needs/cases.ts";
export type * from "./needs/clock.ts";
export type * from "./needs/contents.ts";
export * from "./needs/days.ts";
export type * from "./needs/intake.ts";
export type * from "./needs/landing.ts";
export * from "./needs/ledger.ts";
export type * from "./needs/papers.ts";
export type * from "./needs/people.ts";
export type * from "./needs/queues.ts";
export type * from "./needs/reports.ts";
export type * from "./needs/schedule.ts";
export type * from "./needs/service.ts";
export type * from "./needs/stamps.ts";

/**
 * What operations need from the world, as plain types; an operation takes the few that it names (`Pick`), and `app.ts` hands them over.
 * Every function may throw `ServiceUnavailable`.
 */

/** What is configured and of concern to operations. */
export type Rules = {
  readonly publicOrigin: string;
  readonly purgeAfterDays: number;
  readonly eraseDelayHours: number;
  /** Undefined: closing a case deletes nothing. */
  readonly purgeAfterCaseCloseDays: number | undefined;
  readonly maxBundleBytes: number;
  readonly maxDropBoxFiles: number;
  readonly metadataRetentionDays: number;
  /** Undefined where rates are not limited. */
  readonly limits: Limits | undefined;
  readonly oldestVersions: OldestVersions;
};

export type World = {
  readonly clock: Clock;
  readonly rules: Rules;
  readonly stamps: Stamps;
  readonly cases: Cases;
  readonly service: Service;
  readonly checkpoints: Checkpoints;
  readonly records: Records;
  readonly leaves: Leaves;
  readonly schedule: Schedule;
  readonly rollups: Rollups;
  readonly accessIndex: AccessIndex;
  readonly directory: Directory;
  readonly people: People;
  readonly events: Events;
  readonly landing: Landing;
  readonly days: Days;
  readonly contents: Contents;
  readonly boxes: Boxes;
  readonly storehouse: Storehouse;
  readonly runs: Runs;
  readonly queue: VerificationQueue;
  readonly extractions: ExtractionQueue;
  readonly papers: Papers;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly intake: Intake;
  readonly falseClaims: FalseClaims;
  readonly purgeDates: PurgeDates;
  readonly singleFlight: SingleFlight;
};

/** The stores as an auditor's operations get them: nothing in here writes, so none of them can. */
export type AuditWorld = Pick<World, "checkpoints" | "clock" | "events" | "rules"> & {
  readonly accessIndex: Pick<AccessIndex, "placeOf" | "placeBefore" | "list">;
  readonly directory: Pick<Directory, "senders" | "cases">;
  readonly leaves: Pick<Leaves, "asOf">;
  readonly people: Pick<People, "whois">;
  readonly rollups: Pick<Rollups, "cursor" | "counts" | "completeAsOf">;
  readonly runs: Pick<Runs, "lastSuccess" | "findings">;
  readonly schedule: Pick<Schedule, "heldDays" | "oldestExpiring" | "earlyDue" | "touchedSince">;
};
