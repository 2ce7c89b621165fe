import { ContainerClient, RestError } from "@azure/storage-blob";
import { dropBoxId as dropBoxIdSchema, stampId as stampIdSchema } from "../../shared/api/primitives.ts";
import { bundleIdOf, senderOf } from "../../shared/domain/dropBox.ts";
import { dropBoxRequest, dropBoxShape } from "../support/system/dropBoxes.ts";
import { sha256Hex } from "../support/system/zip.ts";
import type { Chance } from "./chance.ts";
import { contentOf } from "./content.ts";
import { heard, type KnownBox, type KnownBundle, type KnownCase } from "./known.ts";
import { count, heardOf, insist, type Simulation } from "./simulation.ts";

/** A drop box: an engineer opens it, a customer writes to it as any client of a container would, and it is closed, or left until it closes by itself. */

export async function useDropBox(
  simulation: Simulation,
  supportCase: KnownCase,
  oid: string,
  chance: Chance,
): Promise<void> {
  const opened = await open(simulation, supportCase, oid, chance);
  if (opened === undefined) return;
  const { box, container, createdOn } = opened;
  for (let left = 1 + chance.below(5); left > 0; left -= 1) {
    await write(simulation, box, container, createdOn, chance);
    if (chance.happens(0.6)) await simulation.time.pass(chance.hours(9));
  }
  if (chance.happens(0.5)) {
    // Somebody may not have been told, and writes on.
    await Promise.all([close(simulation, box, chance), write(simulation, box, container, createdOn, chance)]);
  }
  await simulation.time.pass(chance.hours(60));
  await write(simulation, box, container, createdOn, chance);
}

const pathOf = ({ caseNumber, dropBoxId }: KnownBox) => `/cases/${caseNumber}/dropBoxes/${dropBoxId}`;

async function open(simulation: Simulation, supportCase: KnownCase, oid: string, chance: Chance) {
  const { known, stage } = simulation;
  const { caseNumber } = supportCase;
  // Some are opened under a Cloud ID, which must do neither of them harm.
  const cloudId = chance.happens(0.2) ? chance.oneOf([...supportCase.stampIds]) : undefined;
  const dropBoxId = cloudId === undefined || known.boxes.has(cloudId) ? chance.guid() : cloudId;
  const stampId = senderOf(dropBoxIdSchema.parse(dropBoxId));
  const box: KnownBox = { dropBoxId, stampId, caseNumber, created: "asked", closed: undefined, writes: [] };
  known.boxes.set(box.dropBoxId, box);
  supportCase.boxes.push(box);
  const request = await dropBoxRequest(stage(), { durationHours: chance.pick([72, 72, 36, 10]) });
  const send = async () => (await stage().person("E", oid)).call("PUT", pathOf(box), request);
  const outcome = await insist(simulation, chance, "box opened", send, ["NotFound", "CaseNotOpen"]);
  if (outcome.kind !== "done") return undefined;
  box.created = "acknowledged";
  const { createdOn, upload } = dropBoxShape.parse(outcome.answer.json);
  if (upload === undefined) return undefined;
  return { box, createdOn: Date.parse(createdOn), container: new ContainerClient(upload.url) };
}

/** Its container may be gone by now. A file of the same path is overwritten. */
async function write(
  simulation: Simulation,
  box: KnownBox,
  container: ContainerClient,
  createdOn: number,
  chance: Chance,
): Promise<void> {
  const { bytes, isZip, files } = await contentOf(chance);
  const path = chance.pick([
    `20240927/Storage-${chance.below(3)}.zip`,
    "Get-AzureStackLog_Output.log",
    "AzureStackStampInformation.json",
    "AzureStackLogs-20240927104305.zip",
  ]);
  const body = chance.happens(0.08) ? Buffer.alloc(0) : bytes;
  const wasClosed = await isClosed(simulation, box);
  const etag = await put(container, path, body);
  count(simulation, etag === undefined ? "box: no more" : "box: written");
  if (etag === undefined) return;
  if (wasClosed) throw new Error(`The URL of closed drop box ${box.dropBoxId} still writes`);
  const isSound = isZip || !path.endsWith(".zip");
  const bundle = body.byteLength === 0 ? undefined : bundleOf(box, createdOn, { path, etag, bytes, files, isSound });
  box.writes.push({ path, writtenOn: simulation.time.now().getTime(), bundle });
  if (bundle !== undefined) simulation.known.bundles.set(bundle.bundleId, bundle);
}

async function isClosed({ stage }: Simulation, box: KnownBox): Promise<boolean> {
  const { call } = await stage().person("C");
  const answer = await call("GET", pathOf(box));
  return answer.status === 200 && dropBoxShape.parse(answer.json).state === "closed";
}

/** Gives the ETag; undefined where the container is no more. */
async function put(container: ContainerClient, path: string, body: Buffer): Promise<string | undefined> {
  try {
    const { etag = "" } = await container.getBlockBlobClient(path).upload(body, body.byteLength);
    return etag.replaceAll('"', "");
  } catch (error) {
    if (error instanceof RestError && [403, 404, 409].includes(error.statusCode ?? 0)) return undefined;
    throw error;
  }
}

type Written = { readonly path: string; readonly etag: string; readonly bytes: Buffer } & Pick<
  KnownBundle,
  "files" | "isSound"
>;

/** What the file becomes if it is taken: of its box, and as old as that. */
function bundleOf(
  { caseNumber, stampId }: KnownBox,
  createdOn: number,
  { path, etag, bytes, files, isSound }: Written,
): KnownBundle {
  return {
    stampId,
    bundleId: bundleIdOf(stampIdSchema.parse(stampId), { path, etag }),
    mode: "dropBox",
    sizeBytes: bytes.byteLength,
    sha256: sha256Hex(bytes),
    isSound,
    files: path.endsWith(".zip") ? files : [],
    custody: undefined,
    askedOn: createdOn,
    createdOn,
    landings: new Set(),
    created: "asked",
    submitted: "acknowledged",
    canceled: undefined,
    erased: undefined,
    erasureTaken: undefined,
    overwritten: false,
    linkedTo: new Set([caseNumber]),
  };
}

async function close(simulation: Simulation, box: KnownBox, chance: Chance): Promise<void> {
  const send = async () => (await simulation.stage().person("C")).call("POST", `${pathOf(box)}:close`);
  const before = box.closed;
  box.closed = before ?? "asked";
  box.closed = heard(before, heardOf(await insist(simulation, chance, "box closed", send, [])));
}
