import { randomUUID } from "node:crypto";
import type { StampApi } from "../client/index.ts";
import { gather } from "../local/demo/people.ts";
import type { Bundle } from "../shared/api/bundles.ts";
import { type Call, openCountedApp, openGround } from "./counting/countedApp.ts";
import { accepted, stateOf } from "./counting/life.ts";
import type { Sizes } from "./sizes.ts";
import { newStamp } from "./stage.ts";
import type { Row } from "./table.ts";

/** What it takes to delete a day of one bundle and a day of many. */

/** Days between a bundle's creation and the purge that is watched: past every setting of `PURGE_AFTER_DAYS`. */
const daysLater = 85;
const stampsAtMost = 8;
/** Where each bundle is a stamp's only one of the day. */
const stampsApart = 50;

const atMost = (perBundle: number): NonNullable<Row["target"]> => ({ words: "≤ 1.10", met: perBundle <= 1.1 });

export async function countPurge(
  undo: AsyncDisposableStack,
  { bundlesOfADay }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  const one = await purgeOf(undo, 1, 1, say);
  const many = await purgeOf(undo, bundlesOfADay, stampsAtMost, say);
  const apart = await purgeOf(undo, stampsApart, stampsApart, say);
  const count = bundlesOfADay.toLocaleString("en");
  return [
    {
      what: `purging a day: calls that delete from Blob Storage, for 1 and for ${count} bundles`,
      value: `${one.blobs} and ${many.blobs}`,
      detail: "the day's container; each bundle is then read back as `purged`",
      target: { words: "the same", met: one.blobs === many.blobs },
    },
    {
      what: `purging a day: rows of the work index removed, for 1 and for ${count} bundles`,
      value: `${one.rows} and ${many.rows}`,
      detail: "table rows, after the bytes are gone; no content",
    },
    {
      what: `purging a day: ledger transactions for each purged bundle, of ${count} bundles`,
      value: (many.transactions / bundlesOfADay).toFixed(3),
      detail: `${many.transactions} entity-group transactions on the wire, the service's own among them; ${stampsAtMost} stamps`,
      target: atMost(many.transactions / bundlesOfADay),
    },
    {
      what: `purging a day: the same where each of ${stampsApart} bundles is another stamp's`,
      value: (apart.transactions / stampsApart).toFixed(3),
      detail: `${apart.transactions} entity-group transactions on the wire: nothing can be written together`,
      target: atMost(apart.transactions / stampsApart),
    },
  ];
}

/** Each on storage of its own, so that a purge finds one day only. */
async function purgeOf(
  undo: AsyncDisposableStack,
  bundles: number,
  stampCount: number,
  say: (line: string) => void,
): Promise<{ blobs: number; rows: number; transactions: number }> {
  say(`Purging a day of ${bundles}, of ${stampCount} stamps`);
  await using mine = new AsyncDisposableStack();
  undo.defer(() => mine.disposeAsync());
  const ground = await openGround(mine);
  const { app, origin } = await openCountedApp(mine, ground);
  const { registration } = await gather(origin, ground.folder, randomUUID());
  const stamps: StampApi[] = [];
  while (stamps.length < Math.min(stampCount, bundles)) stamps.push(await newStamp(origin, registration));

  const made: Bundle[] = [];
  // A stamp's bundles one after the other: they share a lock.
  const ofOneStamp = async (stamp: StampApi, first: number): Promise<void> => {
    for (let index = first; index < bundles; index += stamps.length) made.push(await accepted(app, stamp));
  };
  await Promise.all(stamps.map(ofOneStamp));

  const later = await openCountedApp(mine, ground, daysLater);
  const calls = await later.watching(later.app.timers.purgeDue);
  for (const bundle of made) {
    const state = await stateOf(later.app, bundle);
    if (state !== "purged") throw new Error(`A bundle of the purged day is ${state}`);
  }
  const deleting = calls.filter(isDelete);
  const blobs = deleting.filter(({ url }) => url.startsWith(ground.blobEndpoint)).length;
  return { blobs, rows: deleting.length - blobs, transactions: calls.filter(isTransaction).length };
}

/** Only ledger partitions are written with them. */
const isTransaction = ({ method, url }: Call): boolean => method === "POST" && new URL(url).pathname.endsWith("$batch");
const isDelete = ({ method }: Call): boolean => method === "DELETE";
