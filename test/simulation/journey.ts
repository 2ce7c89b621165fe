import { bundleShape } from "../support/system/shapes.ts";
import { blockId, putBlob, putBlock, putBlocks } from "../support/system/storage.ts";
import { sha256Hex } from "../support/system/zip.ts";
import type { Chance } from "./chance.ts";
import { type Content, contentOf } from "./content.ts";
import type { Member } from "./fleet.ts";
import { heard, type KnownBundle } from "./known.ts";
import { byCarrier, byItself, type Planned, type Road } from "./roads.ts";
import { count, heardOf, insist, type Outcome, type Simulation, throughUrl } from "./simulation.ts";

/** One bundle as its stamp goes about it: created, sent in some way, submitted or not, given up, erased, and whatever an old URL may still do. */

export async function sendBundle(simulation: Simulation, member: Member, chance: Chance): Promise<void> {
  const content = await contentOf(chance);
  const created = await create(simulation, member, chance, content);
  if (created === undefined) return;
  const { bundle, road } = created;
  await upload(simulation, chance, bundle, content.bytes);
  if (chance.happens(0.3)) await simulation.time.pass(chance.hours(14));
  if (chance.happens(0.07)) await cancel(simulation, member, chance, bundle);
  if (chance.happens(0.93)) await submit(simulation, road, chance, bundle);
  if (chance.happens(0.05)) await writeLate(simulation, chance, bundle);
  if (chance.happens(0.12)) await erase(simulation, member, chance, bundle);
  if (chance.happens(0.1)) {
    await simulation.time.pass(chance.hours(20 * 24));
    await writeLate(simulation, chance, bundle);
  }
}

async function create(
  simulation: Simulation,
  member: Member,
  chance: Chance,
  { bytes, isZip, files }: Content,
): Promise<{ bundle: KnownBundle; road: Road } | undefined> {
  const { known, actor } = member;
  const mode = chance.pick(["proactive", "proactive", "sendNow", "savedLocally"] as const);
  const claimed = chance.happens(0.15)
    ? chance.oneOf([...simulation.known.cases.values()].filter(({ stampIds }) => stampIds.has(known.stampId)))
    : undefined;
  const facts = { bundleId: chance.guid(), sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes) };
  const request = await actor().bundleRequest({
    mode,
    sizeBytes: facts.sizeBytes,
    ...(claimed === undefined ? {} : { caseNumber: claimed.caseNumber }),
    ...(mode === "proactive" && chance.happens(0.3)
      ? { trigger: { faultId: "StorageService.Hidden.event", raisedOn: simulation.time.now().toISOString() } }
      : {}),
  });
  const planned: Planned = { ...facts, request };
  const isCarried = mode === "savedLocally" && chance.happens(0.5);
  const road = isCarried ? await byCarrier(simulation, member, chance, planned) : byItself(member, planned);
  const bundle: KnownBundle = {
    stampId: known.stampId,
    ...facts,
    mode,
    isSound: isZip,
    files,
    custody: road.custody,
    askedOn: simulation.time.now().getTime(),
    landings: new Set(),
    created: "asked",
    submitted: undefined,
    canceled: undefined,
    erased: undefined,
    erasureTaken: undefined,
    overwritten: false,
    linkedTo: new Set(claimed === undefined ? [] : [claimed.caseNumber]),
  };
  simulation.known.bundles.set(bundle.bundleId, bundle);
  const what = isCarried ? "imported" : "created";
  const outcome = await insist(simulation, chance, what, road.create, road.refusals);
  if (outcome.kind === "refused" && outcome.sure) {
    simulation.known.bundles.delete(bundle.bundleId);
    return undefined;
  }
  known.bundles.push(bundle);
  if (outcome.kind !== "done") return undefined;
  bundle.created = "acknowledged";
  const { createdOn, upload } = bundleShape.parse(outcome.answer.json);
  bundle.createdOn = Date.parse(createdOn);
  if (upload !== undefined) {
    bundle.uploadUrl = upload.url;
    const landing = new URL(upload.url).pathname.split("/").at(-2) ?? "";
    bundle.landings.add(landing);
    simulation.known.landings.set(landing, bundle);
  }
  return { bundle, road };
}

const target = (url: string) => ({ url, requiredHeaders: { "x-ms-blob-type": "BlockBlob" } });

/** Its container may be gone by now; whether the bytes arrived shows when they are submitted. */
async function upload(simulation: Simulation, chance: Chance, bundle: KnownBundle, bytes: Buffer): Promise<void> {
  if (bundle.uploadUrl === undefined) return;
  const to = target(bundle.uploadUrl);
  const way = chance.unit();
  if (way < 0.04) count(simulation, "nothing uploaded");
  else if (way < 0.1) await throughUrl(simulation, () => putBlock(to, blockId(0), bytes));
  else if (way < 0.3) await throughUrl(simulation, () => putBlocks(to, bytes, 64));
  else await throughUrl(simulation, () => putBlob(to, bytes));
}

const path = (bundle: KnownBundle, action: string) => `/stamps/${bundle.stampId}/bundles/${bundle.bundleId}:${action}`;

async function submit(simulation: Simulation, road: Road, chance: Chance, bundle: KnownBundle): Promise<void> {
  const { submitted: before } = bundle;
  bundle.submitted = before ?? "asked";
  const refusals = ["InvalidState", "NothingUploaded", "StampDisabled"];
  const outcome = await insist(simulation, chance, "submitted", road.submit, refusals);
  bundle.submitted = heard(before, heardOf(outcome));
  if (bundle.submitted !== undefined && chance.happens(0.03)) await writeLate(simulation, chance, bundle);
}

async function cancel(simulation: Simulation, { call }: Member, chance: Chance, bundle: KnownBundle): Promise<void> {
  const { canceled: before } = bundle;
  bundle.canceled = before ?? "asked";
  const refusals = ["InvalidState", "StampDisabled"];
  const outcome = await insist(simulation, chance, "canceled", () => call("POST", path(bundle, "cancel")), refusals);
  bundle.canceled = heard(before, heardOf(outcome));
}

async function erase(simulation: Simulation, { call }: Member, chance: Chance, bundle: KnownBundle): Promise<void> {
  const { time } = simulation;
  const said = { decidedBy: "operator-0@contoso.example", reason: "Sent by mistake" };
  const refusals = ["InvalidState", "StampDisabled"];
  const act = (action: string): Promise<Outcome> =>
    insist(simulation, chance, action, () => call("POST", path(bundle, action), said), refusals);
  await time.pass(chance.hours(15 * 24));
  const { erased: before } = bundle;
  bundle.erased = before ?? "asked";
  const asked = await act("erase");
  bundle.erased = heard(before, heardOf(asked));
  if (asked.kind === "done") {
    const { erasure } = bundleShape.parse(asked.answer.json);
    if (erasure !== undefined) bundle.erasureDueOn = Date.parse(erasure.dueOn);
  }
  if (!chance.happens(0.5)) return;
  await time.pass(chance.hours(12));
  const { erasureTaken } = bundle;
  bundle.erasureTaken = erasureTaken ?? "asked";
  bundle.erasureTaken = heard(erasureTaken, heardOf(await act("cancelErase")));
}

/** An old URL: nothing that it writes may come into an ended upload's place. */
async function writeLate(simulation: Simulation, chance: Chance, bundle: KnownBundle): Promise<void> {
  if (bundle.uploadUrl === undefined) return;
  const wasCanceled = bundle.canceled === "acknowledged";
  const [to, other] = [target(bundle.uploadUrl), chance.bytes(bundle.sizeBytes)];
  const { status } = await throughUrl(simulation, () => putBlob(to, other));
  if (status === 201) bundle.overwritten = true;
  count(simulation, `written late: ${status}`);
  if (status === 201 && wasCanceled) throw new Error(`A canceled upload's URL still writes: bundle ${bundle.bundleId}`);
}
