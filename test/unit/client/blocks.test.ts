import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockId, blockListXml, blockSizeFor, blocksOf } from "../../../client/blocks.ts";

const md5 = (text: string) => createHash("md5").update(text).digest();

describe("blocks", () => {
  test("cover the file once, in order, none larger than asked", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.integer({ min: 50_000, max: 5_000_000 }),
        (fileSize, blockSize) => {
          let covered = 0;
          for (const [place, block] of [...blocksOf(fileSize, blockSize)].entries()) {
            expect(block).toMatchObject({ index: place, offset: covered });
            expect(block.sizeBytes).toBeLessThanOrEqual(blockSize);
            covered += block.sizeBytes;
          }
          expect(covered).toBe(fileSize);
        },
      ),
    );
  });

  test("are never more than a blob can have", () => {
    const hundredGigabytes = 100 * 1024 ** 3;
    expect(Math.ceil(hundredGigabytes / blockSizeFor(hundredGigabytes, 1024 * 1024))).toBeLessThanOrEqual(50_000);
    expect(blockSizeFor(1000, 4096)).toBe(4096);
  });
});

describe("a block's id", () => {
  const block = { index: 7, offset: 7000, sizeBytes: 1000 };

  test("is the same for the same content at the same place, and another for anything else", () => {
    const id = blockId(block, md5("content"));
    expect(blockId({ ...block }, md5("content"))).toBe(id);
    expect(blockId(block, md5("other content"))).not.toBe(id);
    expect(blockId({ ...block, index: 8 }, md5("content"))).not.toBe(id);
    expect(blockId({ ...block, sizeBytes: 999 }, md5("content"))).not.toBe(id);
  });

  test("has one length wherever it stands, and fits what storage takes", () => {
    const first = blockId({ index: 0, offset: 0, sizeBytes: 1 }, md5("a"));
    const last = blockId({ index: 49_999, offset: 0, sizeBytes: 4_000_000_000 }, md5("b"));
    expect(last).toHaveLength(first.length);
    expect(Buffer.from(last, "base64").length).toBeLessThanOrEqual(64);
  });
});

test("the block list names the blocks in order", () => {
  expect(blockListXml(["QQ==", "Qg=="])).toBe(
    '<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>QQ==</Latest><Latest>Qg==</Latest></BlockList>',
  );
});
