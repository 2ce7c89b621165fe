import { randomUUID } from "node:crypto";
import { TableClient } from "@azure/data-tables";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { expect, inject, test } from "vitest";

test("the run's Azurite answers for blobs, queues and tables", async () => {
  const storage = inject("storageConnectionString");
  const name = `a${randomUUID().replaceAll("-", "")}`;
  await BlobServiceClient.fromConnectionString(storage).getContainerClient(name).create();
  await QueueServiceClient.fromConnectionString(storage).getQueueClient(name).create();
  const table = TableClient.fromConnectionString(storage, name, { allowInsecureConnection: true });
  await table.createTable();
  await table.createEntity({ partitionKey: "p", rowKey: "r", value: 1 });
  expect(await table.getEntity("p", "r")).toMatchObject({ value: 1 });
});
