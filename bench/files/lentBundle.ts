import { randomInt, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asBearer, call, connect, sendBundle, uploadMemory } from "../../client/index.ts";
import { gather } from "../../local/demo/people.ts";
import { openIssuer } from "../../local/identity.ts";
import type { Bundle } from "../../shared/api/bundles.ts";
import { bundleFile } from "../../shared/api/files.ts";
import type { App } from "../../shared/app.ts";
import { bundleBlobName } from "../../shared/domain/containers.ts";
import { type Call, type CountedApp, type Ground, openCountedApp, openGround } from "../counting/countedApp.ts";
import { stateOf } from "../counting/life.ts";
import { newStamp, sentNow } from "../stage.ts";

/** A bundle that is sent, verified, and lent to the engineer of a case, all through the contract, by an app whose calls of storage are seen. */

export type Desk = CountedApp & { readonly ground: Ground; readonly engineer: string };

/** The app on storage of its own, on disk. */
export async function openDesk(undo: AsyncDisposableStack): Promise<Desk> {
  const ground = await openGround(undo, "onDisk");
  return { ...(await openCountedApp(undo, ground)), ground, engineer: randomUUID() };
}

export type LentBundle = Awaited<ReturnType<typeof lend>>;

/** Sends the file, which is gone afterwards. */
export async function lend(desk: Desk, path: string) {
  const { app, origin, ground, engineer, watching } = desk;
  const people = await gather(origin, ground.folder, engineer);
  const stamp = await newStamp(origin, people.registration);
  const memory = uploadMemory(join(ground.folder, "uploads"));
  const { bundle } = await sendBundle(stamp, path, await sentNow(stamp), { memory, wait: false });
  await rm(path);
  const { stampId, bundleId } = bundle;
  const name: Name = { stampId, bundleId };
  const verifying = await watching(() => verify(app, name));
  const [caseNumber, grantId] = [`2211${randomInt(1e11, 1e12 - 1)}`, randomUUID()];
  await people.caseSystem.update(caseNumber, {
    revision: 1,
    kind: "support",
    state: "open",
    stampIds: [stampId],
    assignees: [engineer],
  });
  await people.engineer.link(caseNumber, stampId, bundleId);
  await people.engineer.grant(caseNumber, grantId, {
    bundles: [name],
    purpose: "troubleshooting",
    justification: "The update fails",
    durationMinutes: 480,
  });
  const support = await asEngineer(desk);
  const blobName = bundleBlobName(name);
  const filesPath = `/cases/${caseNumber}/stamps/${stampId}/bundles/${bundleId}/files`;
  /** The files' first page of that query, or the one that a `nextLink` names. */
  const page = async (query: string) => {
    const path = query.startsWith("http") ? query : `${filesPath}?${query}`;
    return (await call(support, { method: "GET", path, answer: filesPage })).value;
  };
  return {
    sizeBytes: bundle.sizeBytes,
    /** What its verification asked storage. */
    verifying,
    listed: async (file: string) => {
      const [found] = (await page(`top=1&prefix=${encodeURIComponent(file)}`)).value;
      if (found?.path !== file) throw new Error(`The bundle has no ${file}`);
      return found;
    },
    extract: (file: string) => people.engineer.extract(caseNumber, name, file),
    page,
    wholeUrl: async () => (await people.engineer.issueUrl(caseNumber, grantId, name)).url,
    /** What was read of its bytes. */
    readOf: (calls: readonly Call[]) => rangesRead(calls, (url) => new URL(url).pathname.endsWith(`/${blobName}`)),
  };
}

const filesPage = z.object({ value: z.array(bundleFile), nextLink: z.string().optional() });

async function asEngineer({ origin, ground, engineer }: Desk) {
  const issuer = await openIssuer(ground.folder);
  return connect(origin, asBearer(await issuer.issueToken({ oid: engineer, roles: ["Support.Engineer"] })));
}

export type Range = { readonly offset: number; readonly count: number };

/** The bytes of the blobs that calls read, in the order of their places. */
export const rangesRead = (calls: readonly Call[], ofBlob: (url: string) => boolean): readonly Range[] =>
  calls
    .flatMap(({ method, url, received }) => (method === "GET" && ofBlob(url) && received ? [received] : []))
    .sort((one, other) => one.offset - other.offset);

export const bytesIn = (ranges: readonly Range[]): number => ranges.reduce((sum, { count }) => sum + count, 0);

/** Bytes that more than one of the ranges holds; the ranges are in the order of their places. */
export function overlapIn(ranges: readonly Range[]): number {
  let [end, overlap] = [0, 0];
  for (const { offset, count } of ranges) {
    overlap += Math.max(0, Math.min(end, offset + count) - offset);
    end = Math.max(end, offset + count);
  }
  return overlap;
}

type Name = Pick<Bundle, "stampId" | "bundleId">;

/** Each run is one message of the queue; one that finds the copy under way asks for another. */
async function verify(app: App, name: Name): Promise<void> {
  for (let state = await stateOf(app, name); state === "submitted"; state = await stateOf(app, name)) {
    await app.queues.verify(name);
  }
  const state = await stateOf(app, name);
  if (state !== "accepted") throw new Error(`The bundle is ${state}`);
}
