import * as z from "zod";
import { caseNumber as caseNumberSchema, stampId as stampIdSchema } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import {
  type ChainedEvent,
  type ChainPosition,
  chain,
  eventData,
  eventTypes,
  type NewEvent,
} from "../../domain/event.ts";
import { subjectId } from "../../domain/people.ts";
import { utcDay, utcDaySchema } from "../../domain/utcDay.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import { uploadWork } from "../bundles/uploadWork.ts";
import { boxWork } from "../dropBoxes/boxWork.ts";
import type { CaseChange, ContainerRecord, Head, Mark, World } from "../needs.ts";
import { caseChange, grantOf } from "./caseEvents.ts";
import { requestOf } from "./requestEvents.ts";
import { bundleOf, stampChange } from "./stampEvents.ts";

/**
 * Commits events again, each with the rows that it was written with. A chain is a function of its events, so the same events give the same
 * hashes: what does not is refused before it is written. What stands already is left as it is, so a restore that died goes on.
 */

type Needs = Pick<World, "cases" | "directory" | "schedule" | "service" | "stamps">;

/** The ledger to be restored is not the one that stands, or not whole. */
export class NotTheLedger extends Error {
  override readonly name = "NotTheLedger";
}

/** A partition's events in order. */
export async function replay(
  world: Needs,
  partition: string,
  events: readonly ChainedEvent[],
  checkpointOf: CheckpointOf,
): Promise<void> {
  const [kind, id] = partition.split("/");
  if (partition === "service") return await replayService(world, events, checkpointOf);
  if (kind === "stamps") return await replayStamp(world, stampIdSchema.parse(id), events);
  if (kind === "cases") return await replayCase(world, caseNumberSchema.parse(id), events);
  throw new NotTheLedger(`${partition} is no partition of the ledger`);
}

export type CheckpointOf = (
  seq: number,
) => Promise<NonNullable<Parameters<World["service"]["commit"]>[1]["checkpoint"]>>;

const fact = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const newEvent = z.object({
  type: z.enum(eventTypes),
  actor: z.object({ kind: z.enum(["stamp", "person", "service"]), id: z.string() }),
  data: z.record(z.string(), fact),
});

/** Undefined where the event stands already. */
function next({ partition, position }: Head<unknown>, event: ChainedEvent): NewEvent | undefined {
  if (event.seq <= position.seq) {
    if (event.seq === position.seq && event.hash !== position.hash) throw another(event);
    return undefined;
  }
  const said = newEvent.parse(event);
  const [made] = chain(partition, position, event.on, [said]);
  if (made?.seq !== event.seq || made.hash !== event.hash) throw another(event);
  return said;
}

const another = ({ partition, seq }: { partition: string } & Pick<ChainPosition, "seq">) =>
  new NotTheLedger(`Event ${seq} of ${partition} does not follow what stands there: restore into empty tables`);

async function replayStamp(world: Needs, stampId: z.infer<typeof stampIdSchema>, events: readonly ChainedEvent[]) {
  const { directory, schedule, stamps } = world;
  let head = await stamps.head(stampId);
  if (head.state === undefined) await directory.addSender(stampId);
  for (const event of events) {
    const said = next(head, event);
    if (said === undefined) continue;
    const id = bundleOf(event);
    const bundle = id === undefined ? undefined : await stamps.bundle(stampId, id);
    const asked = requestOf(event);
    const request = asked === undefined ? undefined : await stamps.request(stampId, asked);
    const change = stampChange(event, { sender: head.state, bundle, request });
    const changed = change.insert?.[0] ?? change.update?.[0]?.to;
    // Its deadlines come before the row, as they did (invariant 2).
    if (changed !== undefined) await remember(world, event, changed);
    if (change.sender?.kind === "dropBox") await rememberBox(world, event, change.sender);
    head = await stamps.commit(stampId, head, { ...change, events: [said] }, new Date(event.on));
  }
  const last = events.at(-1);
  if (last !== undefined) await schedule.remember({ kind: "stamp", stampId, dueOn: last.on }, new Date(last.on));
}

/** The work that a bundle stands for: when it is due, and what the sweeper is to look at. */
async function remember({ schedule }: Needs, { on }: ChainedEvent, bundle: BundleRecord): Promise<void> {
  const { stampId, bundleId, erasure, caseClosedDueOn } = bundle;
  if (bundle.purge?.deletedOn !== undefined) {
    await schedule.unexpire(bundle);
    await schedule.forget(uploadWork(bundle));
    return;
  }
  await schedule.remember(uploadWork(bundle), new Date(on));
  if (bundle.submittedOn !== undefined) {
    const { account, day } = placeOf(bundle);
    await schedule.expire({ stampId, bundleId, createdOn: bundle.createdOn });
    await schedule.holdDay({ day, account, purgeOn: bundle.purgeOn });
  }
  const dues = [
    { basis: "erasure", dueOn: erasure?.dueOn },
    { basis: "caseClosed", dueOn: caseClosedDueOn },
  ] as const;
  for (const { basis, dueOn } of dues) {
    if (dueOn !== undefined) await schedule.purgeEarlyAt({ stampId, bundleId, basis, dueOn });
  }
}

async function rememberBox({ schedule }: Needs, { on }: ChainedEvent, box: DropBoxRecord): Promise<void> {
  if (box.state === "closed") return await schedule.forget(boxWork(box));
  await schedule.remember(boxWork(box), new Date(on));
  await schedule.holdDay({ day: utcDay(new Date(box.createdOn)), account: box.account, purgeOn: box.purgeOn });
}

async function replayCase(world: Needs, number: z.infer<typeof caseNumberSchema>, events: readonly ChainedEvent[]) {
  const { cases, directory, schedule } = world;
  let head = await cases.head(number);
  if (head.state === undefined) await directory.addCase(number);
  for (const event of events) {
    const said = next(head, event);
    if (said === undefined) continue;
    const id = grantOf(event);
    const grant = id === undefined ? undefined : await cases.grant(number, id);
    const change = caseChange(event, { case: head.state, grant });
    await rememberCase(world, number, event, change);
    head = await cases.commit(number, head, { ...change, events: [said] }, new Date(event.on));
  }
  const last = events.at(-1);
  if (last === undefined) return;
  await schedule.remember({ kind: "case", caseNumber: number, dueOn: last.on }, new Date(last.on));
}

async function rememberCase(
  { directory, schedule }: Needs,
  caseNumber: z.infer<typeof caseNumberSchema>,
  { on }: ChainedEvent,
  change: Omit<CaseChange, "events">,
): Promise<void> {
  for (const each of change.case?.assignees ?? []) await directory.addAssignment(each.subjectId, caseNumber);
  const expiresOn = (change.insertGrant ?? change.activateGrant)?.expiresOn;
  if (expiresOn !== undefined) {
    await schedule.remember({ kind: "case", caseNumber, dueOn: expiresOn }, new Date(expiresOn));
  }
  // What its stamps were asked and answered is in their partitions.
  if (change.insertGrant?.approval !== undefined) {
    for (const dueOn of [on, change.insertGrant.expiresOn]) {
      const { grantId } = change.insertGrant;
      await schedule.remember({ kind: "approval", caseNumber, grantId, dueOn }, new Date(dueOn));
    }
  }
  // The two halves of a link are in two partitions, and the export may have been cut between them.
  const link = change.insertLink ?? change.removeLink;
  if (link === undefined) return;
  const { stampId, bundleId } = link;
  await schedule.remember({ kind: "link", caseNumber, stampId, bundleId, dueOn: on }, new Date(on));
}

const containerOf = z.object({ day: utcDaySchema, account: z.string() });

async function replayService({ service }: Needs, events: readonly ChainedEvent[], checkpointOf: CheckpointOf) {
  let head = await service.head();
  for (const event of events) {
    const said = next(head, event);
    if (said === undefined) continue;
    const change = await serviceChange(service, event, checkpointOf);
    head = await service.commit(head, { ...change, events: [said] }, new Date(event.on));
  }
}

async function serviceChange(
  service: World["service"],
  { type, data, on, actor }: ChainedEvent,
  checkpointOf: CheckpointOf,
) {
  switch (type) {
    case "container.purgeIntended":
      return { container: { ...containerOf.parse(data), intendedOn: on } };
    case "container.purged": {
      const { day, account } = containerOf.parse(data);
      const standing = await service.container(day, account);
      const container: ContainerRecord = { day, account, intendedOn: standing?.intendedOn ?? on, deletedOn: on };
      return { container };
    }
    case "checkpoint.sealed":
    case "ledger.restored":
      return { checkpoint: await checkpointOf(z.object({ seq: z.int() }).parse(data).seq) };
    case "person.forgotten": {
      const subject = z.object({ subjectId }).parse(data).subjectId;
      return { mark: { kind: "forgotten", subject } satisfies Mark };
    }
    case "audit.exported": {
      const { day } = z.object({ day: utcDaySchema }).parse(data);
      return { mark: { kind: "exported", day, subject: subjectId.parse(actor.id) } satisfies Mark };
    }
    case "settings.inForce":
      return { said: { settings: eventData.parse(data) } };
    case "reconciler.found":
      return { said: { findings: eventData.parse(data) } };
    default:
      return {};
  }
}
