import { expect, test } from "vitest";
import { putRaw } from "../../support/system/rawPut.ts";
import { readAll } from "../../support/system/world.ts";
import { sha256Hex } from "../../support/system/zip.ts";
import { openDropBox, verifiedBundlesOf } from "./support/dropBoxes.ts";
import { useStages } from "./support/stage.ts";

/** Names that a client of our own could not send: most libraries take `..` for a step, as a browser does. */

const stageOf = useStages();

/** Azurite stores a backslash as a slash. */
const stored = (name: string): string => name.replaceAll("\\", "/");

const unusable = [
  "..\\up.zip",
  "../up.log",
  "ok/..",
  "x/../y.log",
  "./z.log",
  "a/./b.log",
  "dot/.",
  "../victim/v.log",
  ".",
  "..",
];
const odd = [
  "..%2F..%2Fetc%2Fpasswd",
  "%2e%2e/up.log",
  "...",
  "..;/x.log",
  "/first.log",
  "a//b.log",
  "last/",
  "end.",
  "a?b#c.log",
  "tab\tx.log",
  "null%00.log",
  "é/日本.log",
];

test("a drop box takes each name that a URL can hold, byte for byte, and refuses the others without harm to any", async () => {
  const stage = stageOf();
  const victim = stage.blobs.getContainerClient("victim");
  await victim.create();
  await victim.getBlockBlobClient("v.log").upload("not yours", 9);
  const supportCase = await stage.openCase();
  const box = await openDropBox(stage, supportCase);
  // What some of the names would lead to.
  await box.write("y.log", "another file");
  for (const name of [...unusable, ...odd])
    expect(await putRaw(box.opened.upload?.url ?? "", name, name), name).toBe(201);

  expect(await box.close()).toMatchObject({
    state: "closed",
    arrived: { files: odd.length + 1, refused: [{ code: "UnusableName", files: unusable.length }] },
  });
  const verified = Object.values(await verifiedBundlesOf(stage, box));
  expect(verified.map(({ state }) => state)).toEqual(verified.map(() => "accepted"));
  const shown = await readAll(supportCase.engineer.call, `${supportCase.path}/bundles`);
  expect(shown).toHaveLength(odd.length + 1);
  for (const name of odd)
    expect(shown, name).toContainEqual(expect.objectContaining({ sha256: sha256Hex(Buffer.from(stored(name))) }));
  expect((await victim.getBlobClient("v.log").downloadToBuffer()).toString()).toBe("not yours");
});
