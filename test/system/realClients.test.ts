import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlockBlobClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { expectStatus } from "../support/system/expectations.ts";
import type { Bundle } from "../support/system/shapes.ts";
import { getBlob } from "../support/system/storage.ts";
import { runTool, type ToolRun } from "../support/system/tool.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";

/** Tools that nobody here wrote send the bytes by the bundle's URL, and every one ends with a verified bundle. */

let world: World;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), "stamp-intake-clients-"));
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

type Upload = NonNullable<Bundle["upload"]>;
type Send = (path: string, upload: Upload) => Promise<void>;

/** A bundle whose bytes that client sent, up to its verdict; support then reads just what the stamp had. */
async function sentBy(send: Send, contentBytes: number): Promise<void> {
  const stamp = await world.registeredStamp();
  const bytes = await makeZip(contentBytes);
  const path = join(folder, `${sha256Hex(bytes).slice(0, 16)}.zip`);
  await writeFile(path, bytes);
  const { bundleId, upload } = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  if (upload === undefined) throw new Error("The bundle has no upload.");
  await send(path, upload);
  expectStatus(await stamp.submit(bundleId, bytes), 202);
  const bundle = await stamp.waitFor(bundleId, "accepted");
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  await supportCase.link(bundle);
  const { grantId } = await supportCase.grant([bundle]);
  expect(sha256Hex((await getBlob(await supportCase.url(grantId, bundle))).body)).toBe(sha256Hex(bytes));
}

/** The run of a tool that is there; without it the test is skipped and says how to get it. */
function present(run: ToolRun | undefined, tool: string, context: TestContext): ToolRun {
  if (run === undefined) context.skip(`${tool} is not on this machine: apt-get install ${tool}`);
  return run ?? { code: 0, stdout: "", stderr: "" };
}

const mebibyte = 1024 * 1024;

describe("a bundle is accepted that was sent", () => {
  it("by curl, as one Put Blob [where installed]", async (context) => {
    await sentBy(async (path, { url, requiredHeaders }) => {
      const headers = Object.entries(requiredHeaders).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
      const run = await runTool("curl", ["--silent", "--show-error", "--fail", ...headers, "--upload-file", path, url]);
      expect(present(run, "curl", context)).toMatchObject({ code: 0, stderr: "" });
    }, 3 * mebibyte);
  });

  it("by curl, cut off in the middle and begun again [where installed]", async (context) => {
    await sentBy(async (path, { url, requiredHeaders }) => {
      const headers = Object.entries(requiredHeaders).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
      const parameters = ["--silent", "--fail", ...headers, "--upload-file", path, url];
      const cut = await runTool("curl", ["--limit-rate", "500k", "--max-time", "1", ...parameters]);
      expect(present(cut, "curl", context).code).toBe(28);
      expect(await runTool("curl", parameters)).toMatchObject({ code: 0 });
    }, 3 * mebibyte);
  });

  it.each([
    ["as one Put Blob", {}],
    ["in blocks", { blockSize: 512 * 1024, maxSingleShotSize: 1, concurrency: 3 }],
  ])("by the Azure SDK, %s", async (_how, options) => {
    await sentBy(async (path, { url }) => {
      const { errorCode } = await new BlockBlobClient(url).uploadFile(path, {
        ...options,
        blobHTTPHeaders: { blobContentType: "application/zip" },
      });
      expect(errorCode).toBeUndefined();
    }, 3 * mebibyte);
  });

  it("by rclone, in chunks, with the URL of the blob's container [where installed]", async (context) => {
    await sentBy(async (path, { url }) => {
      const { container, blob } = placeOf(url);
      const parameters = ["--no-check-dest", "--retries", "1", "--azureblob-chunk-size", "1M"];
      const environment = { RCLONE_AZUREBLOB_SAS_URL: container, RCLONE_CONFIG: "" };
      const run = await runTool("rclone", ["copyto", ...parameters, path, `:azureblob:${blob}`], environment);
      // All is sent; then rclone wants to look at it, which a stamp's URL does not allow.
      expect(present(run, "rclone", context).stderr).toMatch(/AuthorizationPermissionMismatch[\s\S]*HEAD/);
    }, 3 * mebibyte);
  });
});

/** rclone takes the URL of a container, and the blob's name apart. */
function placeOf(url: string): { container: string; blob: string } {
  const place = new URL(url);
  const [account = "", container = "", ...blob] = place.pathname.split("/").slice(1);
  place.pathname = `/${account}/${container}`;
  return { container: place.href, blob: `${container}/${blob.join("/")}` };
}
