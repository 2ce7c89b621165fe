import { expect, test } from "vitest";
import { boxContainers, empty, openDropBox } from "./support/dropBoxes.ts";
import { useStages } from "./support/stage.ts";

const stageOf = useStages();

/** Writers at once: enough to keep the storage busy. */
const lanes = 16;

test("a drop box with 10,000 tiny files takes those it may, page by page, and refuses the rest aloud", {
  timeout: 900_000,
}, async () => {
  const stage = stageOf({ settings: { MAX_DROP_BOX_FILES: "40" } });
  const box = await openDropBox(stage, await stage.openCase());
  const files = Array.from({ length: 10_000 }, (_, n) => `tiny/${n}.txt`).values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const file of files) await box.write(file, "x");
    }),
  );
  await (await stage.person("C")).call("POST", `${box.path}:close`);
  // What one message has no time for, the next ones do.
  for (let turns = 0; (await box.view()).state !== "closed" && turns < 30; turns += 1)
    await empty(stage, box.dropBoxId);
  const view = await box.view();
  expect(view).toMatchObject({
    state: "closed",
    arrived: { files: 40, refused: [{ code: "TooManyFiles", files: 9960 }] },
  });
  expect(await boxContainers(stage)).toEqual([]);
});
