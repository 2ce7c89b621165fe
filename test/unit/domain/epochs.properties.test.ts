import fc from "fast-check";
import { expect, test } from "vitest";
import { type BundleRecord, ended, endedBy } from "../../../shared/domain/bundle.ts";
import { type CaseFacts, updateCase } from "../../../shared/domain/case.ts";
import { decide, purposesOf } from "../../../shared/domain/consent.ts";
import { coveringDecision, requireCreatable } from "../../../shared/domain/creation.ts";
import { type GrantRecord, grantEnd, grantExpiry } from "../../../shared/domain/grant.ts";
import { register } from "../../../shared/domain/registration.ts";
import { purgeOn } from "../../../shared/domain/retention.ts";
import type { StampRecord } from "../../../shared/domain/stamp.ts";
import { DomainError } from "../../../shared/errors.ts";
import {
  aBundle,
  aCase,
  aGrant,
  anEngineer,
  aRegistration,
  aRequest,
  aStamp,
  aStampId,
  createdOn,
  id,
  resourceId,
} from "./support/records.ts";

/**
 * Endings are epochs: nothing is written to a bundle or a grant when its reason to live ends, it is only found out when it is looked at. Here
 * that is held against a model that ends everything at once, by hand; whatever happens in whatever order, both must say the same.
 */

const hour = 3_600_000;

type Upload = {
  readonly record: BundleRecord;
  readonly createdAt: number;
  state: "created" | "submitted" | "canceled" | "expired";
};
type StampWorld = { now: number; stamp: StampRecord; generation: number; uploads: Upload[] };
type Model = { enabled: boolean; consented: boolean };

const seen = ({ record }: Upload, { stamp, now }: StampWorld) => endedBy(record, stamp, new Date(now)) ?? record.state;

/** The eager model's rule: an upload that is created ends now. */
function endWhere(world: StampWorld, which: (upload: Upload) => boolean, state: "canceled" | "expired"): void {
  for (const upload of world.uploads) if (upload.state === "created" && which(upload)) upload.state = state;
}

class Step implements fc.Command<Model, StampWorld> {
  readonly name: string;
  readonly act: (model: Model, world: StampWorld) => void;
  constructor(name: string, act: (model: Model, world: StampWorld) => void) {
    this.name = name;
    this.act = act;
  }
  check = () => true;
  toString = () => this.name;
  run(model: Model, world: StampWorld): void {
    this.act(model, world);
    expect(world.uploads.map((upload) => seen(upload, world))).toEqual(world.uploads.map((upload) => upload.state));
  }
}

function create(model: Model, world: StampWorld, mode: "proactive" | "sendNow"): void {
  const now = new Date(world.now);
  const raisedOn = now.toISOString();
  const request = aRequest({
    mode,
    ...(mode === "proactive" ? { trigger: { faultId: "Urp.UpdateFailure", raisedOn } } : {}),
  });
  const mayCreate = model.enabled && (mode === "sendNow" || model.consented);
  try {
    requireCreatable({ stamp: world.stamp, request });
    expect(mayCreate).toBe(true);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    expect([mayCreate, error.code]).toEqual([false, model.enabled ? "ConsentNotGiven" : "StampDisabled"]);
    return;
  }
  const { consentEpoch, uploadEpoch } = world.stamp;
  const consentDecision = coveringDecision(world.stamp, request, id(7));
  expect(consentDecision.basis).toBe(mode === "proactive" ? "proactive" : "operator");
  const record = aBundle({
    mode,
    createdOn: now.toISOString(),
    purgeOn: purgeOn(now, 80),
    consentDecision,
    consentEpoch,
    uploadEpoch,
  });
  world.uploads.push({ record, createdAt: world.now, state: "created" });
}

/** A client's own step on one of the uploads: only what is still created takes it. */
function take(world: StampWorld, which: number, to: "submitted" | "canceled"): void {
  const index = which % Math.max(1, world.uploads.length);
  const upload = world.uploads[index];
  if (upload === undefined || seen(upload, world) !== "created") return;
  expect(upload.state).toBe("created");
  const record = to === "canceled" ? ended(upload.record, to, new Date(world.now)) : { ...upload.record, state: to };
  world.uploads[index] = { ...upload, record, state: to };
}

/** What a decision does right after it, and a sweeper now and then: writes the endings that are there to be seen. */
function sweep(world: StampWorld): void {
  world.uploads = world.uploads.map((upload) => {
    const end = endedBy(upload.record, world.stamp, new Date(world.now));
    return end === undefined ? upload : { ...upload, record: ended(upload.record, end, new Date(world.now)) };
  });
}

function consent(model: Model, world: StampWorld, state: "enabled" | "disabled"): void {
  const decision = { state, decidedBy: id(4), termsVersion: "2026-11-01", purposes: purposesOf(undefined) };
  world.stamp = decide(world.stamp, decision, id(6), new Date(world.now));
  if (state === "disabled") endWhere(world, ({ record }) => record.mode === "proactive", "canceled");
  model.consented = state === "enabled";
  sweep(world);
}

function registerAnew(model: Model, world: StampWorld): void {
  world.generation += 1;
  const said = aRegistration({ registrationResourceId: resourceId(`reg-${world.generation}`) });
  world.stamp = register(aStampId, world.stamp, said, new Date(world.now), new Date(world.now)).stamp;
  endWhere(world, ({ record }) => record.mode === "proactive", "canceled");
  model.consented = false;
  sweep(world);
}

function setEnabled(model: Model, world: StampWorld, enabled: boolean): void {
  if (enabled) world.stamp = { ...world.stamp, state: "enabled" };
  else {
    world.stamp = { ...world.stamp, state: "disabled", uploadEpoch: world.stamp.uploadEpoch + (model.enabled ? 1 : 0) };
    endWhere(world, () => true, "canceled");
  }
  model.enabled = enabled;
  sweep(world);
}

function wait(world: StampWorld, hours: number): void {
  world.now += hours * hour;
  endWhere(world, ({ createdAt }) => world.now - createdAt >= 48 * hour, "expired");
}

const step = (name: string, act: (model: Model, world: StampWorld) => void) => fc.constant(new Step(name, act));
const stampSteps = [
  step("create proactive", (model, world) => create(model, world, "proactive")),
  step("create sendNow", (model, world) => create(model, world, "sendNow")),
  step("enable consent", (model, world) => consent(model, world, "enabled")),
  step("disable consent", (model, world) => consent(model, world, "disabled")),
  step("register anew", registerAnew),
  step("disable stamp", (model, world) => setEnabled(model, world, false)),
  step("enable stamp", (model, world) => setEnabled(model, world, true)),
  step("sweep", (_, world) => sweep(world)),
  fc.integer({ min: 1, max: 60 }).map((hours) => new Step(`wait ${hours} h`, (_, world) => wait(world, hours))),
  fc.nat(9).map((which) => new Step(`submit ${which}`, (_, world) => take(world, which, "submitted"))),
  fc.nat(9).map((which) => new Step(`cancel ${which}`, (_, world) => take(world, which, "canceled"))),
];

test("an upload ends when its consent, its stamp or its time does, and what was submitted never does", () => {
  fc.assert(
    fc.property(fc.commands(stampSteps, { maxCommands: 40 }), (commands) => {
      const world = { now: Date.parse(createdOn), stamp: aStamp(), generation: 1, uploads: [] };
      fc.modelRun(() => ({ model: { enabled: true, consented: false }, real: world }), commands);
    }),
    { numRuns: 500 },
  );
});

type Lent = { grant: GrantRecord; ended: "caseClosed" | "unassigned" | "expired" | undefined };
type CaseMoment = {
  readonly open: boolean;
  readonly assigned: boolean;
  readonly minutes: number;
  readonly grants: boolean;
};

test("a grant ends when its case closes, its engineer is unassigned or its time is over, whichever comes first, and never revives", () => {
  const moment: fc.Arbitrary<CaseMoment> = fc.record({
    open: fc.boolean(),
    assigned: fc.boolean(),
    minutes: fc.integer({ min: 1, max: 90 }),
    grants: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 25 }), (moments) => {
      let now = Date.parse(createdOn);
      let record = aCase();
      const lent: Lent[] = [];
      const end = (which: (grant: GrantRecord) => boolean, reason: NonNullable<Lent["ended"]>) => {
        for (const each of lent) if (each.ended === undefined && which(each.grant)) each.ended = reason;
      };
      for (const { open, assigned, minutes, grants } of moments) {
        now += minutes * 60_000;
        const at = now;
        end((grant) => Date.parse(grant.expiresOn) <= at, "expired");
        const assignees = assigned ? [anEngineer] : [];
        const said: CaseFacts = {
          revision: record.revision + 1,
          kind: "support",
          state: open ? "open" : "closed",
          stampIds: [],
          assignees,
          titleNote: undefined,
        };
        record = updateCase(record.caseNumber, record, said, new Date(now)).case;
        if (!open) end(() => true, "caseClosed");
        if (!assigned) end(() => true, "unassigned");
        if (grants && open && assigned) {
          const assigneeEpoch = record.assignees[0]?.epoch ?? 0;
          const startsOn = new Date(now);
          const { openEpoch } = record;
          const grant = aGrant({
            startsOn: startsOn.toISOString(),
            expiresOn: grantExpiry(startsOn, 60),
            openEpoch,
            assigneeEpoch,
          });
          lent.push({ grant, ended: undefined });
        }
        const found = lent.map(({ grant }) => grantEnd(grant, record, new Date(now)));
        expect(found.map((each) => each === undefined)).toEqual(lent.map((each) => each.ended === undefined));
      }
    }),
    { numRuns: 1000 },
  );
});
