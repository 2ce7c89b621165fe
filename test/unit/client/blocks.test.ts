import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockId, blockListXml, blockSizeRange, stretchesOf } from "../../../client/blocks.ts";

const md5 = (text: string) => createHash("md5").update(text).digest();

/** The id of a block with content that depends on its place and size. */
const idOf = (offset: number, sizeBytes: number) => blockId({ offset, sizeBytes }, md5(`${offset} ${sizeBytes}`));

/** The stretches with where they end; throws where they do not cover the file once, in order. */
function covered(fileSize: number, stagedIds: string[], nextSize: () => number) {
  const stretches = [...stretchesOf(fileSize, stagedIds, nextSize)];
  let end = 0;
  for (const { offset, sizeBytes } of stretches) {
    expect(offset).toBe(end);
    expect(sizeBytes).toBeGreaterThan(0);
    end += sizeBytes;
  }
  expect(end).toBe(fileSize);
  return stretches;
}

const sizes = fc.infiniteStream(fc.integer({ min: 5_000, max: 500_000 }));

describe("the stretches of a file", () => {
  test("cover it once, in order, each as large as the size of that moment", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), sizes, (fileSize, stream) => {
        const asked: number[] = [];
        const next = () => {
          asked.push(stream.next().value ?? 1);
          return asked.at(-1) ?? 1;
        };
        const stretches = covered(fileSize, [], next);
        stretches.slice(0, -1).forEach(({ sizeBytes }, place) => {
          expect(sizeBytes).toBe(asked[place]);
        });
      }),
    );
  });

  test("keep staged blocks of whatever sizes, and fill what lies between", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        sizes,
        fc.infiniteStream(fc.boolean()),
        sizes,
        (fileSize, before, kept, now) => {
          const first = covered(fileSize, [], () => before.next().value ?? 1);
          const staged = first.filter(() => kept.next().value).map(({ offset, sizeBytes }) => idOf(offset, sizeBytes));
          const second = covered(fileSize, staged.toReversed(), () => now.next().value ?? 1);
          expect(second.flatMap(({ stagedIds }) => stagedIds)).toEqual(staged);
        },
      ),
    );
  });

  test("take the larger of two staged blocks at one place, and none that overlaps it", () => {
    const staged = [idOf(0, 100), idOf(0, 400), idOf(100, 100), idOf(300, 300), idOf(600, 200)];
    const found = covered(1000, staged, () => 1000).map(({ offset, sizeBytes, stagedIds }) => [
      offset,
      sizeBytes,
      stagedIds.length,
    ]);
    expect(found).toEqual([
      [0, 400, 1],
      [400, 200, 0],
      [600, 200, 1],
      [800, 200, 0],
    ]);
  });

  test("leave out ids of other clients, of nothing, and beyond the file", () => {
    const staged = ["MDAwMDAw", "", "no base64!", idOf(0, 0), idOf(900, 200)];
    expect(covered(1000, staged, () => 1000).flatMap(({ stagedIds }) => stagedIds)).toEqual([]);
  });

  test("offer every staged block of one place and size: the content decides", () => {
    const other = blockId({ offset: 0, sizeBytes: 100 }, md5("what the file was before"));
    expect(covered(1000, [other, idOf(0, 100)], () => 1000)[0]?.stagedIds).toEqual([other, idOf(0, 100)]);
  });
});

describe("the sizes of blocks", () => {
  test.each([1, 5_000_000, 2 * 1024 ** 3, 100 * 1024 ** 3, 4 * 1024 ** 4])(
    "leave a file of %d bytes at most half of the blocks that a blob can have",
    (fileSize) => {
      const { smallestBytes, largestBytes } = blockSizeRange(fileSize, 1024 * 1024);
      expect(Math.ceil(fileSize / smallestBytes)).toBeLessThanOrEqual(25_000);
      expect(largestBytes).toBeGreaterThanOrEqual(smallestBytes);
    },
  );

  test("end where it was asked, however small that is", () => {
    expect(blockSizeRange(1000, 4096)).toEqual({ smallestBytes: 4096, largestBytes: 4096 });
    expect(blockSizeRange(1000, 8 * 1024 ** 2).largestBytes).toBe(8 * 1024 ** 2);
  });
});

describe("a block's id", () => {
  const block = { offset: 7000, sizeBytes: 1000 };

  test("is the same for the same content at the same place, and another for anything else", () => {
    const id = blockId(block, md5("content"));
    expect(blockId({ ...block }, md5("content"))).toBe(id);
    expect(blockId(block, md5("other content"))).not.toBe(id);
    expect(blockId({ ...block, offset: 8000 }, md5("content"))).not.toBe(id);
    expect(blockId({ ...block, sizeBytes: 999 }, md5("content"))).not.toBe(id);
  });

  test("has one length wherever it stands, and fits what storage takes", () => {
    const first = blockId({ offset: 0, sizeBytes: 1 }, md5("a"));
    const last = blockId({ offset: 190 * 1024 ** 4, sizeBytes: 4_000_000_000 }, md5("b"));
    expect(last).toHaveLength(first.length);
    expect(Buffer.from(last, "base64").length).toBeLessThanOrEqual(64);
  });
});

test("the block list names the blocks in order", () => {
  expect(blockListXml(["QQ==", "Qg=="])).toBe(
    '<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>QQ==</Latest><Latest>Qg==</Latest></BlockList>',
  );
});
