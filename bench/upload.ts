import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { BlobServiceClient, type BlockBlobClient, ContainerClient, ContainerSASPermissions } from "@azure/storage-blob";
import { writeBundle } from "./bundleZip.ts";
import { alternate, type Contender, contender, medians, ratios } from "./rounds.ts";
import { inMebibytes, mebibyte, type Sizes } from "./sizes.ts";
import type { Stage } from "./stage.ts";
import { type Row, ratioRow } from "./table.ts";
import { type Blocks, uploadByClient } from "./uploads/client.ts";
import { uploadByFile, uploadByStream } from "./uploads/sdkDefaults.ts";
import { uploadByStagedBlocks } from "./uploads/stagedBlocks.ts";
import { startTusServer, uploadByTus } from "./uploads/tus.ts";

/** One bundle, sent by the reference client and in other ways, to the same storage. */

/** The largest block and the blocks in flight, as the client has them by itself. */
const blocks: Blocks = { blockSizeBytes: 8 * mebibyte, concurrency: 4 };

export async function measureUpload(stage: Stage, sizes: Sizes, say: (line: string) => void): Promise<Row[]> {
  const size = inMebibytes(sizes.bundleBytes);
  say(`Uploading ${size}`);
  const path = join(stage.folder, "AzureStackLogs-20240927104305-BENCH-ERCS01.zip");
  await writeBundle(path, sizes.bundleBytes);
  const storage = BlobServiceClient.fromConnectionString(stage.connectionString);

  const toBlob = (name: string, upload: (blob: BlockBlobClient) => Promise<number>): Contender =>
    contender(name, () =>
      inContainerOfItsOwn(storage, (container) => upload(container.getBlockBlobClient("bundle.zip"))),
    );
  const byTus = (container: ContainerClient) => viaTus(stage.connectionString, container, path);

  const client = contender("client", () => uploadByClient(stage, path, blocks));
  const direct = toBlob("stageBlock", (blob) => uploadByStagedBlocks(blob, path, blocks));
  const file = toBlob("uploadFile", (blob) => uploadByFile(blob, path));
  const stream = toBlob("uploadStream", (blob) => uploadByStream(blob, path));
  const tus = contender("tus", () => inContainerOfItsOwn(storage, byTus));
  // Those that are compared closely run next to each other, and the slow ones apart from them.
  await alternate([client, direct], sizes.closeRounds, say);
  const again = contender("client", client.run);
  await alternate([again, file, stream, tus], sizes.rounds, say);

  const beside = (what: string, other: Contender): Row =>
    ratioRow(`upload of ${size}: ${what} ÷ client`, ratios(other, again), medians(other, again), { atLeast: 2 });
  return [
    ratioRow(
      `upload of ${size}: client (create, hash, blocks that grow to 8 MiB, submit) ÷ the same file in blocks of 8 MiB by the SDK's \`stageBlock\`, no hash, no service`,
      ratios(client, direct),
      medians(client, direct),
      { atMost: 1.1 },
    ),
    beside("SDK `uploadFile`, its defaults", file),
    beside("SDK `uploadStream`, its defaults", stream),
    beside("tus server, Azure store and client", tus),
  ];
}

async function viaTus(connectionString: string, container: ContainerClient, path: string): Promise<number> {
  const server = await startTusServer(connectionString, container.containerName);
  try {
    return await uploadByTus(server.endpoint, path, blocks.blockSizeBytes);
  } finally {
    await server.stop();
  }
}

const hourMs = 3_600_000;

/** Gives the work a new container by a URL, as a stamp is given one, and deletes it afterwards. */
async function inContainerOfItsOwn(
  storage: BlobServiceClient,
  work: (container: ContainerClient) => Promise<number>,
): Promise<number> {
  const container = storage.getContainerClient(`bench-${randomUUID()}`);
  await container.create();
  try {
    const url = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse("cw"),
      expiresOn: new Date(Date.now() + hourMs),
    });
    return await work(new ContainerClient(url));
  } finally {
    await container.delete();
  }
}
