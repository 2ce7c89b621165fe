import { once } from "node:events";
import { BlobServiceClient } from "@azure/storage-blob";
import { AzureStore } from "@tus/azure-store";
import { Server } from "@tus/server";

/** A process of its own: the tus server before Azure storage. It ends with whoever started it. */

const client = BlobServiceClient.fromConnectionString(process.env.BENCH_STORAGE ?? "").getContainerClient(
  process.env.BENCH_CONTAINER ?? "",
);
const server = new Server({ path: "/files", datastore: new AzureStore({ client }) }).listen({
  host: "127.0.0.1",
  port: 0,
});
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("The tus server has no port");
process.send?.({ endpoint: `http://127.0.0.1:${address.port}/files` });
process.on("disconnect", () => process.exit());
