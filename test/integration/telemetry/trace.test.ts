import { QueueClient } from "@azure/storage-queue";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { bundleShape } from "../../support/system/shapes.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** One line for each operation and each refusal, joined from stamp to purge by the trace that the stamp began. */

const stages = useStages();

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const lineShape = z.looseObject({ event: z.string(), traceId: z.string() });
const linesOf = (stage: Stage) => stage.logged.map((line) => lineShape.parse(JSON.parse(line)));

describe("a bundle's trace", () => {
  test("is in every line from its creation to its purge, also where a timer says it", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    const bytes = await makeZip();
    const bundleId = "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10";
    const request = await stamp.bundleRequest({ sizeBytes: bytes.byteLength });
    stage.logged.length = 0;
    const created = await stamp.call("PUT", stamp.bundlePath(bundleId), request, { headers: { traceparent } });
    const bundle = bundleShape.parse(expectStatus(created, 201).json);
    expect(linesOf(stage)).toMatchObject([
      { event: "request.done", operation: "Bundles_Put", status: 201, traceId, durationMs: expect.any(Number) },
    ]);
    await stamp.upload(bundle, bytes);
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203332-01` };
    const said = { sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes) };
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:submit`, said, { headers }), 202);
    const { receivedMessageItems } = await new QueueClient(stage.connectionString, "verify").receiveMessages();
    const queued = JSON.parse(Buffer.from(receivedMessageItems[0]?.messageText ?? "", "base64").toString());
    expect(queued).toMatchObject({ bundleId, traceparent: expect.stringMatching(`^00-${traceId}-[0-9a-f]{16}-01$`) });

    stage.logged.length = 0;
    // Without the message's own word for it: the row tells.
    await stage.verify(bundle);
    expect(linesOf(stage)).toContainEqual(expect.objectContaining({ event: "bundle.accepted", bundleId, traceId }));
    expect(linesOf(stage)).toContainEqual(
      expect.objectContaining({ event: "operation.done", operation: "verifyBundle" }),
    );

    const later = stage.another({ offsetDays: 81 });
    await later.runTimer("purgeDue");
    expect(linesOf(later)).toContainEqual(
      expect.objectContaining({ event: "bundle.purged", bundleId, basis: "age", traceId }),
    );
  });

  test("of a refusal is in its one line, with the code that the caller was told", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    stage.logged.length = 0;
    const answer = await stamp.call("GET", `${stamp.path}/bundles/${stamp.stampId}`, undefined, {
      headers: { traceparent },
    });
    expectRefusal(answer, 404, "NotFound");
    expect(linesOf(stage)).toMatchObject([
      { event: "request.refused", operation: "Bundles_Get", status: 404, code: "NotFound", traceId },
    ]);
  });
});
