import { randomUUID } from "node:crypto";
import { odata, TableClient, type TableEntity, TableServiceClient, type TransactionAction } from "@azure/data-tables";
import { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { BundleDescription, StampApi } from "../client/index.ts";
import { alternate, contender, medians, ratios, timed } from "./rounds.ts";
import type { Sizes } from "./sizes.ts";
import { type Stage, sentNow } from "./stage.ts";
import { type Row, ratioRow } from "./table.ts";

/** Fifty clients that create at once, against the same storage calls by the SDKs from one process without a service between. */

const clients = 50;
const mostSpread = 5;

export async function measureCrowd(
  stage: Stage,
  { crowdedCreates, rounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  say(`${crowdedCreates} creates by ${clients} clients at once`);
  const stamps = await Promise.all(Array.from({ length: clients }, stage.anotherStamp));
  const said = await sentNow(stage.stamp);
  const each = Math.ceil(crowdedCreates / clients);
  const latencies: number[] = [];
  const create = async (stamp: StampApi) => latencies.push(await timed(() => createOne(stamp, said)));
  const service = contender("service", () => timed(() => together(stamps, each, create)));
  await create(stamps[0] ?? stage.stamp);
  const calls = await sameCalls(stage, stamps);
  const direct = contender("direct", () => timed(() => together(calls, each, (call) => call())));
  await alternate([service, direct], rounds, say);
  const sorted = latencies.toSorted((a, b) => a - b);
  const [p50, p99] = [sorted[Math.floor(sorted.length * 0.5)] ?? 0, sorted[Math.floor(sorted.length * 0.99)] ?? 0];
  return [
    ratioRow(
      `signed creates by ${clients} clients at once on the embedded host: throughput ÷ that of the same storage calls made directly`,
      ratios(direct, service),
      `${medians(direct, service)} for ${each * clients}; each client is another stamp`,
      { atLeast: 0.6 },
    ),
    {
      what: `the same creates: p99 ÷ p50 of their time`,
      value: (p99 / p50).toFixed(2),
      detail: `${p99.toFixed(0)} ms ÷ ${p50.toFixed(0)} ms, of ${sorted.length} in all rounds`,
      target: { words: `≤ ${mostSpread.toFixed(2)}`, met: p99 / p50 <= mostSpread },
    },
  ];
}

const together = <T>(those: readonly T[], times: number, work: (one: T) => Promise<unknown>): Promise<unknown> =>
  Promise.all(
    those.map(async (one) => {
      for (let time = 0; time < times; time++) await work(one);
    }),
  );

/** The one signed request; what it says is known before. */
const createOne = async (stamp: StampApi, said: BundleDescription): Promise<void> =>
  void (await stamp.createBundle(randomUUID(), {
    ...said,
    fileName: "AzureStackLogs-BENCH.zip",
    contentType: "application/zip",
    sizeBytes: 1000,
  }));

/**
 * What a create asks of storage, call by call (`test/integration/operations/roundTrips.test.ts` counts them): the head, the nonce, the index, the
 * landing container, the transaction. Its rows are copies of those that a create has just written, so that they are as large.
 */
async function sameCalls(
  { connectionString }: Stage,
  stamps: readonly StampApi[],
): Promise<readonly (() => Promise<void>)[]> {
  const insecure = { allowInsecureConnection: true };
  const service = TableServiceClient.fromConnectionString(connectionString, insecure);
  const table = (name: string) => TableClient.fromConnectionString(connectionString, name, insecure);
  const [rows, index, nonces] = [table("benchrows"), table("benchindex"), table("benchnonces")];
  for (const name of ["benchrows", "benchindex", "benchnonces"]) await service.createTable(name);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const written = await rowsOf(table("stamps"), stamps[0]?.stampId ?? "");
  const head = written.find(({ rowKey }) => rowKey === "head");
  if (head === undefined) throw new Error("The create left no head");
  const others = written.filter(({ rowKey }) => /^(event|bundle|history|open)!/.test(rowKey));
  const newest = ["event", "bundle", "history", "open"].flatMap(
    (kind) => others.findLast(({ rowKey }) => rowKey.startsWith(`${kind}!`)) ?? [],
  );
  return await Promise.all(
    stamps.map(async () => {
      const partitionKey = randomUUID();
      await rows.createEntity({ ...head, partitionKey });
      return async () => {
        const { etag } = await rows.getEntity(partitionKey, "head");
        await nonces.createEntity({
          partitionKey,
          rowKey: randomUUID(),
          v: 1,
          json0: JSON.stringify({ requestId: randomUUID() }),
        });
        await index.upsertEntity(
          { partitionKey: "unfinished", rowKey: randomUUID(), v: 1, json0: "x".repeat(300) },
          "Replace",
        );
        await blobs.getContainerClient(`landing-bench-${randomUUID()}`).create();
        const unique = randomUUID();
        const actions: TransactionAction[] = [
          ["update", { ...head, partitionKey }, "Replace", { etag }],
          ...newest.map(
            (row): TransactionAction => ["create", { ...row, partitionKey, rowKey: `${row.rowKey}${unique}` }],
          ),
        ];
        await rows.submitTransaction(actions);
      };
    }),
  );
}

const stored = z.looseObject({ partitionKey: z.string(), rowKey: z.string() });

/** Without what storage adds to a row. */
async function rowsOf(table: TableClient, stampId: string): Promise<TableEntity[]> {
  const rows: TableEntity[] = [];
  const filter = odata`PartitionKey eq ${stampId}`;
  for await (const entity of table.listEntities({ queryOptions: { filter } })) {
    const { etag: _etag, timestamp: _timestamp, "odata.metadata": _metadata, ...row } = stored.parse(entity);
    rows.push(row);
  }
  return rows;
}
