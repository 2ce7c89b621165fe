import { expect, test } from "vitest";
import { z } from "zod";
import { queryNames, type Route } from "../../../shared/api/route.ts";
import { routes } from "../../../shared/api/routes.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { type Call, readAll } from "../../support/system/world.ts";
import { accepted } from "./support/bundles.ts";
import { openDropBox } from "./support/dropBoxes.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** `skipToken` comes from the caller, who can make one up: it chooses where a page begins, and shows nothing that the list does not. */

const stageOf = useStages();

const lists = Object.values<Route>(routes).filter((route) => queryNames(route).includes("skipToken"));

/** A life with something in every list, beside another stamp and case that its callers must not see. */
async function lived(stage: Stage) {
  const [stamp, other] = [await stage.registeredStamp(), await stage.registeredStamp()];
  await stamp.enableConsent();
  const bundles = [await accepted(stage, stamp), await accepted(stage, stamp), await accepted(stage, other)];
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId, other.stampId] });
  const foreign = await stage.openCase({ stampIds: [other.stampId] });
  for (const { bundle } of bundles) expectStatus(await supportCase.link(bundle), 201);
  for (const { bundle } of bundles) {
    const { grantId } = await supportCase.grant([bundle]);
    await supportCase.url(grantId, bundle);
  }
  await openDropBox(stage, supportCase);
  await openDropBox(stage, foreign);
  await stage.app.timers.sealCheckpoint();
  const values = new Map([
    ["stampId", stamp.stampId],
    ["bundleId", bundles[0]?.bundleId ?? ""],
    ["caseNumber", supportCase.caseNumber],
    ["seq", "1"],
  ]);
  const auditor = await stage.person("A");
  const callers: Readonly<Record<string, Call>> = {
    stamp: stamp.call,
    E: supportCase.engineer.call,
    A: auditor.call,
    R: (await stage.person("R")).call,
    C: (await stage.person("C")).call,
  };
  // What pages leads through, and the keys of rows that stand beside them in storage.
  const places = [
    ...["head", "event!000000000001", "bundle!", "grant!", "!", "~", "999999999", "'!or!RowKey!gt!'"],
    ...[`stamps/${other.stampId}#0`, `cases/${foreign.caseNumber}`, `${foreign.caseNumber}#grant!`],
  ];
  return {
    filled: (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? name),
    callers,
    places,
  };
}

const pageShape = z.object({ value: z.array(z.unknown()) });
const textOf = (item: unknown) => JSON.stringify(item);

test("a made-up skipToken shows nothing, in any list, that the list does not show its caller", async () => {
  const stage = stageOf();
  const { filled, callers, places } = await lived(stage);
  expect(lists.length).toBeGreaterThan(12);
  for (const { operationId, path, who } of lists) {
    for (const caller of who) {
      const call = callers[caller];
      if (call === undefined) continue;
      const own = new Set((await readAll(call, filled(path))).map(textOf));
      const shownAfter = async (place: string) => {
        const query = { skipToken: Buffer.from(place).toString("base64url") };
        const answer = await call("GET", filled(path), undefined, { query });
        expect([200, 400], `${operationId} ${place} ${answer.text}`).toContain(answer.status);
        return answer.status === 200 ? pageShape.parse(answer.json).value.map(textOf) : [];
      };
      const shown = (await Promise.all(places.map(shownAfter))).flat();
      expect(
        shown.filter((item) => !own.has(item)),
        `${operationId} of ${caller}`,
      ).toEqual([]);
    }
  }
});
