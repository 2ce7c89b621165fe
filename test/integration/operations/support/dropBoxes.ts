import { z } from "zod";
import { dropBoxId as dropBoxIdSchema } from "../../../../shared/api/primitives.ts";
import { senderOf } from "../../../../shared/domain/dropBox.ts";
import type { CaseActor } from "../../../support/system/cases.ts";
import { type DropBoxActor, openDropBox as openBox } from "../../../support/system/dropBoxes.ts";
import { type DropBoxBundle, dropBoxBundleShape } from "../../../support/system/shapes.ts";
import { readAll } from "../../../support/system/world.ts";
import type { Stage } from "./stage.ts";

/** A drop box whose emptying the test runs, as the queue's messages would. */
export const openDropBox = (stage: Stage, supportCase: CaseActor, changes: Readonly<Record<string, unknown>> = {}) =>
  openBox(stage, supportCase, changes, { emptied: (dropBoxId) => emptyWhole(stage, dropBoxId) });

/** A turn ends after 20 seconds: on a busy machine the next message goes on. */
async function emptyWhole(stage: Stage, dropBoxId: string): Promise<void> {
  const isClosing = async () => {
    const { state } = await stage.app.world.stamps.head(senderOf(dropBoxIdSchema.parse(dropBoxId)));
    return state?.state === "closing";
  };
  for (let turns = 0; turns < 10 && (await isClosing()); turns += 1) await empty(stage, dropBoxId);
}

/** What the queue's message does. */
export const empty = ({ app }: Pick<Stage, "app">, dropBoxId: string): Promise<void> =>
  app.queues.verify({ dropBoxId });

/** The bundles of a drop box, by what their files were called; of a file that was overwritten its last version. */
export async function bundlesOf(
  stage: Stage,
  box: Pick<DropBoxActor, "stampId">,
): Promise<Record<string, DropBoxBundle>> {
  const { call } = await stage.person("A");
  const bundles = z.array(dropBoxBundleShape).parse(await readAll(call, `/stamps/${box.stampId}/bundles`));
  const last = bundles.filter(({ rejection }) => rejection?.code !== "BlobChanged");
  return Object.fromEntries(last.map((bundle) => [bundle.fileName, bundle]));
}

/** Verifies what arrived, as the queue's messages would. */
export async function verifiedBundlesOf(
  stage: Stage,
  box: Pick<DropBoxActor, "stampId">,
): Promise<Record<string, DropBoxBundle>> {
  for (const bundle of Object.values(await bundlesOf(stage, box))) await stage.verify(bundle);
  return await bundlesOf(stage, box);
}

/** The containers of drop boxes that the storage holds. */
export async function boxContainers({ blobs }: Pick<Stage, "blobs">): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of blobs.listContainers({ prefix: "box-" })) names.push(name);
  return names;
}

/** What the reconciler accuses the service of. */
export async function findings(stage: Stage): Promise<string[]> {
  await stage.app.timers.reconcile();
  return ((await stage.app.world.runs.findings())?.violations ?? []).map(({ code }) => code);
}

/** Reads a bundle's bytes as the case's engineer does: by a grant. */
export async function lentBytes(url: string): Promise<{ bytes: Buffer; type: string | null; name: string | null }> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`The URL answers ${answer.status}`);
  return {
    bytes: Buffer.from(await answer.arrayBuffer()),
    type: answer.headers.get("content-type"),
    name: answer.headers.get("content-disposition"),
  };
}
