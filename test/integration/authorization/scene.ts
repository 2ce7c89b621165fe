import { randomUUID } from "node:crypto";
import { type CaseActor, openCase } from "../../support/system/cases.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { carrying, importSaved, type SavedBundle, saveBundle } from "../../support/system/imports.ts";
import type { Case } from "../../support/system/shapes.ts";
import { makeKey, type StampKey } from "../../support/system/signing.ts";
import { enroll, registrationOf, type StampActor } from "../../support/system/stamp.ts";
import { openWorld, type Person, type World } from "../../support/system/world.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import type { BundleState, CaseState } from "./situations.ts";

/** A running service with everything that the matrix names, in every one of its states: made once, for all cells. */

type Fields = Readonly<Record<string, unknown>>;

/** A bundle and the requests that made it what it is. */
export type Held = { readonly bundleId: string; readonly creation: Fields; readonly submission: Fields };

export type Holding = {
  readonly stamp: StampActor;
  readonly bundles: Readonly<Record<Exclude<BundleState, "anotherStamps">, Held>>;
};

/** A standing grant and the request that made it. */
export type Granted = { readonly grantId: string; readonly request: Fields };

type StandingCase = {
  readonly actor: CaseActor;
  /** The update that stands: a repeat of it changes nothing. */
  readonly update: Fields;
  /** Opened while the case was open. */
  readonly dropBox: OpenedBox;
};

/** A drop box and the request that opened it. */
type OpenedBox = { readonly dropBoxId: string; readonly request: Fields };

export type Scene = {
  readonly world: World;
  /** Version of the terms that are current. */
  readonly termsVersion: string;
  /** The stamp of the cases, and the key that its registration has left out since. */
  readonly main: Holding;
  readonly retiredKey: StampKey;
  readonly lost: Holding;
  readonly compromised: Holding;
  /** On no case, with an accepted bundle that it sent and one that was imported. */
  readonly another: { readonly stamp: StampActor; readonly bundle: Held; readonly imported: Held };
  /** What the ledger calls an operator of the other stamp. */
  readonly operatorSubject: string;
  /** The main stamp's, brought by manifests. */
  readonly imported: Holding["bundles"];
  /** The manifest of the bundle that the path names; of any where it names none. */
  readonly manifestFor: (path: string) => Promise<string>;
  /** The main stamp's: purged, and linked to no case. */
  readonly neverLinked: Held;
  readonly engineers: Readonly<Record<"grantee" | "colleague" | "elsewhere" | "nowhere", Person>>;
  readonly cases: Readonly<Record<CaseState, StandingCase>>;
  readonly grants: {
    readonly open: { readonly pending: Granted; readonly active: Granted; readonly ended: Granted };
    readonly closed: { readonly ended: Granted };
  };
};

export async function openScene(): Promise<Scene> {
  // Erasures are carried out at once here, for bundles that are to be purged.
  const world = await openWorld({ ERASE_DELAY_HOURS: "0" });
  try {
    const holdings = await makeHoldings(world);
    const lent = await openCases(world, holdings.main);
    const { main, lost, compromised, neverLinked, imported } = holdings;
    await erase(main.stamp, imported.purged, "purged");
    for (const { stamp, bundles } of [main, lost, compromised]) await erase(stamp, bundles.purged, "purged");
    await erase(main.stamp, neverLinked, "purged");

    // From here on an erasure is pending for a day.
    await world.restart({});
    for (const { stamp, bundles } of [main, lost, compromised]) await erase(stamp, bundles.erasing, "accepted");
    await erase(main.stamp, imported.erasing, "accepted");
    await disable(world, lost.stamp, "lost");
    await disable(world, compromised.stamp, "compromised");
    await world.runTimer("sealCheckpoint");
    return { world, termsVersion: await world.currentTerms(), ...holdings, ...lent };
  } catch (error) {
    await world.close();
    throw error;
  }
}

/** The stamps with bundles for every state; those to be erased are only accepted yet. */
async function makeHoldings(world: World) {
  const [zip, retiredKey] = [await makeZip(), makeKey()];
  const [main, lost, compromised, another] = await Promise.all([
    enrollWithRetired(world, retiredKey).then((stamp) => hold(stamp, zip)),
    enroll(world).then((stamp) => hold(stamp, zip)),
    enroll(world).then((stamp) => hold(stamp, zip)),
    enroll(world).then(async (stamp) => ({
      stamp,
      bundle: await (await submit(stamp, zip))(),
      imported: await carry(world, stamp, await saveBundle(stamp, { bytes: zip })),
    })),
  ]);
  const neverLinked = await (await submit(main.stamp, zip))();
  const operatorSubject = await operatorOf(world, another.stamp);
  const brought = await bring(world, main.stamp, zip);
  return { ...brought, main, retiredKey, lost, compromised, another, neverLinked, operatorSubject };
}

/** Bundles that came by manifests, in the states that a stamp's own are in. */
async function bring(world: World, stamp: StampActor, bytes: Buffer): Promise<Pick<Scene, "imported" | "manifestFor">> {
  const manifests = new Map<string, string>();
  const save = async (claims: Fields = {}) => {
    const saved = await saveBundle(stamp, { bytes, claims });
    manifests.set(saved.bundleId, saved.manifest);
    return saved;
  };
  const imported = async () => carry(world, stamp, await save());
  const created = await save();
  expectStatus(await carrying(world, created.manifest)("PUT", created.path, { carriedBy: "Carol of Contoso" }), 201);
  return {
    imported: {
      created: heldOf(created),
      accepted: await imported(),
      erasing: await imported(),
      purged: await imported(),
    },
    manifestFor: async (path) => {
      const [bundleId] = /(?<=\/(bundles|imports)\/)[^/:]+/.exec(path) ?? [];
      return (bundleId && manifests.get(bundleId)) || (await save(bundleId ? { bundleId } : {})).manifest;
    },
  };
}

async function carry(world: World, stamp: StampActor, saved: SavedBundle): Promise<Held> {
  await importSaved(world, stamp, saved);
  await stamp.waitFor(saved.bundleId, "accepted");
  return heldOf(saved);
}

const heldOf = ({ bundleId, claims, bytes }: SavedBundle): Held => ({
  bundleId,
  creation: claims,
  submission: submissionOf(bytes),
});

/** The subject id of an operator who decided on consent. */
async function operatorOf(world: World, stamp: StampActor): Promise<string> {
  await stamp.enableConsent();
  const decided = (await world.events(stamp.partition)).find(({ type }) => type === "consent.decided");
  return String(decided?.data.decidedBy);
}

/** Registered with two keys, then with one of them. */
async function enrollWithRetired(world: World, retired: StampKey): Promise<StampActor> {
  const key = makeKey();
  const stamp = await enroll(world, { key });
  expectStatus(await stamp.register({ keys: registrationOf([key, retired]).keys }), 200);
  expectStatus(await stamp.register(), 200);
  await stamp.enableConsent();
  return stamp;
}

async function hold(stamp: StampActor, zip: Buffer): Promise<Holding> {
  const creation = await stamp.bundleRequest({ sizeBytes: zip.byteLength });
  const { bundleId } = await stamp.createBundle(creation);
  const created = { bundleId, creation, submission: submissionOf(zip) };
  const sent = [await submit(stamp, zip), await submit(stamp, zip), await submit(stamp, zip)] as const;
  const [accepted, erasing, purged] = [await sent[0](), await sent[1](), await sent[2]()];
  return { stamp, bundles: { created, accepted, erasing, purged } };
}

/** Sends a bundle; what it gives waits until the bundle is accepted. */
async function submit(stamp: StampActor, zip: Buffer): Promise<() => Promise<Held>> {
  const creation = await stamp.bundleRequest({ sizeBytes: zip.byteLength });
  const { bundleId } = await stamp.submittedBundle(creation, zip);
  return async () => {
    await stamp.waitFor(bundleId, "accepted");
    return { bundleId, creation, submission: submissionOf(zip) };
  };
}

const submissionOf = (zip: Buffer): Fields => ({ sizeBytes: zip.byteLength, sha256: sha256Hex(zip) });

async function erase(stamp: StampActor, { bundleId }: Held, leaves: BundleState): Promise<void> {
  const body = { decidedBy: "operator@contoso.example", reason: "The customer asks." };
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, body), 202);
  const { state } = await stamp.bundle(bundleId);
  if (state !== leaves) throw new Error(`The bundle was erased, and is ${state}, not ${leaves}.`);
}

async function disable(world: World, stamp: StampActor, reason: string): Promise<void> {
  const { call } = await world.person("R");
  expectStatus(await call("POST", `${stamp.path}:disable`, { reason }), 200);
}

/** An open and a closed case of the main stamp, with its bundles linked and lent. */
async function openCases(world: World, main: Holding): Promise<Pick<Scene, "engineers" | "cases" | "grants">> {
  const engineers = {
    grantee: await world.engineer(),
    colleague: await world.engineer(),
    elsewhere: await world.engineer(),
    nowhere: await world.engineer(),
  };
  await openCase(world, { stampIds: [main.stamp.stampId], engineers: [engineers.elsewhere] });
  const assigned = [engineers.grantee, engineers.colleague];
  const [open, closed] = [await caseOf(world, main, assigned), await caseOf(world, main, assigned)];
  const [active, revoked, endedByClosing] = [await lend(open, main), await lend(open, main), await lend(closed, main)];
  const revocation = `${open.path}/accessGrants/${revoked.grantId}:revoke`;
  expectStatus(await engineers.grantee.call("POST", revocation), 200);
  const approval = { mode: "required", decidedBy: "operator@contoso.example" };
  expectStatus(await main.stamp.call("PUT", `${main.stamp.path}/accessApproval`, approval), 200);
  const pending = await lend(open, main);
  const boxes = { open: await openBox(world, open), closed: await openBox(world, closed) };
  return {
    engineers,
    cases: {
      open: standing(open, await open.view(), boxes.open),
      closed: standing(closed, await closed.close(), boxes.closed),
    },
    grants: { open: { pending, active, ended: revoked }, closed: { ended: endedByClosing } },
  };
}

async function caseOf(world: World, { stamp: { stampId }, bundles }: Holding, engineers: readonly Person[]) {
  const supportCase = await openCase(world, { stampIds: [stampId], engineers });
  for (const { bundleId } of Object.values(bundles)) expectStatus(await supportCase.link({ stampId, bundleId }), 201);
  return supportCase;
}

/** A grant of all that can be lent now; it outlives those of its bundles that are erased later. */
async function lend(on: CaseActor, { stamp: { stampId }, bundles }: Holding): Promise<Granted> {
  const lent = [bundles.accepted, bundles.erasing, bundles.purged].map(({ bundleId }) => ({ stampId, bundleId }));
  const [grantId, request] = [randomUUID(), on.grantRequest(lent)];
  expectStatus(await on.engineer.call("PUT", `${on.path}/accessGrants/${grantId}`, request), 201);
  return { grantId, request };
}

async function openBox(world: World, { path, engineer }: CaseActor): Promise<OpenedBox> {
  const dropBoxId = randomUUID();
  const contact = { name: "Ada of Contoso" };
  const consent = { decidedBy: contact.name, decidedOn: world.on(), termsVersion: await world.currentTerms() };
  const request = { contact, consent };
  expectStatus(await engineer.call("PUT", `${path}/dropBoxes/${dropBoxId}`, request), 201);
  return { dropBoxId, request };
}

const standing = (
  actor: CaseActor,
  { revision, kind, state, stampIds, assignees }: Case,
  dropBox: OpenedBox,
): StandingCase => ({ actor, update: { revision, kind, state, stampIds, assignees }, dropBox });
