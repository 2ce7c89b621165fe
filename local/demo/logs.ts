import { type Cipheriv, createCipheriv, createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

/** A bundle in the shape that a stamp collects (`DOMAIN.md`, Shapes and sizes): role zips in one zip. A seed makes the same one again. */

export type MadeBundle = {
  readonly path: string;
  readonly fileName: string;
  readonly roles: readonly string[];
  readonly nodes: number;
};

export type StampFacts = { readonly stampId: string; readonly deploymentId: string; readonly stampVersion: string };

/** The roles that matter when an update fails, and how many event logs each brings. */
const collected: Readonly<Record<string, number>> = {
  URP: 3,
  ECE: 4,
  Storage: 6,
  FabricRingServices: 5,
  SeedRing: 2,
  HealthMonitoring: 2,
  Compute: 4,
  NC: 2,
  SLB: 1,
  BareMetal: 2,
  OEM: 1,
  ACSFabric: 3,
  KeyVaultControlPlane: 1,
  SupportBridgeController: 1,
};
const nodes = ["ERCS01", "ERCS02", "S-Node01", "S-Node02", "S-Node03", "S-Node04"];
const eventLogBytes = 1024 * 1024;
const logLines = 12_000;

/** Writes `AzureStackLogs-….zip` into the folder: some 40 MB. */
export async function makeBundle(
  folder: string,
  stamp: StampFacts,
  collectedOn: Date,
  seed: string,
): Promise<MadeBundle> {
  const stampedOn = collectedOn.toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const fileName = `AzureStackLogs-${stampedOn}-DEMO-ERCS01.zip`;
  const random = randomBytesOf(seed);
  const bundle = new ZipFile();
  const written = pipeline(bundle.outputStream, createWriteStream(join(folder, fileName)));
  for (const [role, eventLogs] of Object.entries(collected)) {
    const zip = await roleZip(role, eventLogs, random, collectedOn);
    // Packed already, as the real ones are.
    bundle.addBuffer(zip, `${role}-${stampedOn}.zip`, { mtime: collectedOn, compress: false });
  }
  bundle.addBuffer(Buffer.from(outputLog(stampedOn)), "Get-AzureStackLog_Output.log", { mtime: collectedOn });
  bundle.addBuffer(Buffer.from(stampInformation(stamp)), "AzureStackStampInformation.json", { mtime: collectedOn });
  bundle.end();
  await written;
  return { path: join(folder, fileName), fileName, roles: Object.keys(collected), nodes: nodes.length };
}

async function roleZip(role: string, eventLogs: number, random: RandomBytes, collectedOn: Date): Promise<Buffer> {
  const zip = new ZipFile();
  for (let index = 0; index < eventLogs; index += 1) {
    const node = nodes[index % nodes.length];
    const events = Buffer.concat([Buffer.from("ElfFile\0"), random(eventLogBytes)]);
    zip.addBuffer(events, `${node}/WinEvents/Microsoft-AzureStack-${role}-${index}.EVTX`, {
      mtime: collectedOn,
      compress: false,
    });
  }
  zip.addBuffer(Buffer.from(clusterLog(role, random)), "Reports/Cluster.log", { mtime: collectedOn });
  zip.end();
  return await buffer(zip.outputStream);
}

const happenings = [
  "INFO  [RES] Physical Disk: state is Online",
  "INFO  [GUM] all nodes agree on sequence",
  "WARN  [URP] health check took longer than expected",
  "INFO  [CSV] volume redirected, then direct again",
  "ERROR [ECE] step 'Apply update package' failed with 0x80070005",
] as const;

function clusterLog(role: string, random: RandomBytes): string {
  const lines = Array.from(random(logLines), (byte, line) => {
    const second = String(line % 60).padStart(2, "0");
    return `000${line.toString(16)}.${byte} ::${second} ${happenings[byte % happenings.length]} (${role}, item ${byte * line})`;
  });
  return lines.join("\r\n");
}

const outputLog = (stampedOn: string): string =>
  [
    `Transcript started ${stampedOn}`,
    "Collecting logs for 14 roles",
    "All roles collected",
    "Transcript ended",
    "",
  ].join("\r\n");

const stampInformation = ({ stampId, deploymentId, stampVersion }: StampFacts): string =>
  JSON.stringify({ CloudID: stampId, DeploymentID: deploymentId, StampVersion: stampVersion }, undefined, 2);

type RandomBytes = (count: number) => Buffer;

/** Bytes that look like chance and are the same for the same seed: the key stream of a cipher. */
function randomBytesOf(seed: string): RandomBytes {
  const key = createHash("sha256").update(seed).digest();
  const cipher: Cipheriv = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (count) => cipher.update(Buffer.alloc(count));
}
