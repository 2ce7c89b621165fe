import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { newCaseNumber } from "../../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { bundleShape } from "../../support/system/shapes.ts";
import { accepted } from "./support/bundles.ts";
import { useStages } from "./support/stage.ts";

/** Creating a bundle: repeated later, and with a claim. */

const stageOf = useStages();

test("a create that is repeated after its consent was revoked is still a repetition", async () => {
  const stamp = await stageOf().registeredStamp();
  await stamp.enableConsent();
  const path = stamp.bundlePath(randomUUID());
  const body = await stamp.bundleRequest({ mode: "proactive" });
  expectStatus(await stamp.call("PUT", path, body), 201);
  await stamp.disableConsent();

  const repeated = expectStatus(await stamp.call("PUT", path, body), 200);
  expect(bundleShape.parse(repeated.json).state).toBe("canceled");
  expectRefusal(await stamp.call("PUT", path, { ...body, sizeBytes: 1 }), 409, "BundleConflict");
  const another = stamp.bundlePath(randomUUID());
  expectRefusal(await stamp.call("PUT", another, body), 403, "ConsentNotGiven");
});

test("a create that another change of the stamp overtakes goes on in the landing container that it has made", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const landings = async () => {
    const names: string[] = [];
    for await (const { name } of stage.blobs.listContainers({ prefix: "landing-" })) names.push(name);
    return names.length;
  };
  await stamp.createBundle();
  const overtaken = async (path: string) => {
    const body = await stamp.bundleRequest();
    const hold = stage.faults.holdNext(({ url }) => url.includes("$batch"));
    const creating = stamp.call("PUT", path, body);
    await hold.reached;
    const letGo = () => {
      hold.letGo();
      return creating;
    };
    return { body, letGo };
  };

  const first = await overtaken(stamp.bundlePath(randomUUID()));
  await stamp.createBundle();
  const { result, calls } = await stage.faults.watching(first.letGo);
  expectStatus(result, 201);
  expect(calls.filter(({ path }) => path.includes("restype=container"))).toEqual([]);
  expect(await landings()).toBe(3);

  // What it has made goes where it is not needed: another request has created the bundle.
  const path = stamp.bundlePath(randomUUID());
  const second = await overtaken(path);
  expectStatus(await stamp.call("PUT", path, second.body), 201);
  expectStatus(await second.letGo(), 200);
  expect(await landings()).toBe(4);
});

test("a create that is repeated makes no container", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const path = stamp.bundlePath(randomUUID());
  const body = await stamp.bundleRequest();
  expectStatus(await stamp.call("PUT", path, body), 201);
  const { result, calls } = await stage.another().faults.watching(() => stamp.call("PUT", path, body));
  expectStatus(result, 200);
  const again = await stage.faults.watching(() => stamp.call("PUT", path, body));
  expectStatus(again.result, 200);
  const made = [...calls, ...again.calls].filter(({ path }) => path.includes("restype=container"));
  expect(made).toEqual([]);
});

test("a create whose landing container was made and whose answer was lost is answered all the same", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.createBundle();
  const body = await stamp.bundleRequest();
  const rehearsal = await stage.faults.watching(() => stamp.call("PUT", stamp.bundlePath(randomUUID()), body));
  const container = 1 + rehearsal.calls.findIndex(({ path }) => path.includes("restype=container"));
  const answer = await stage.faults.during("sentTwice", container, () =>
    stamp.call("PUT", stamp.bundlePath(randomUUID()), body),
  );
  expectStatus(answer, 201);
});

test("[invariant 4] a trigger that lies in the future is refused, but for a clock that is a little ahead", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.enableConsent();
  const create = async (hoursFromNow: number) => {
    const trigger = { faultId: "Urp.UpdateFailure", raisedOn: stage.on(hoursFromNow) };
    const body = await stamp.bundleRequest({ mode: "proactive", trigger });
    return await stamp.call("PUT", stamp.bundlePath(randomUUID()), body);
  };
  expect(expectRefusal(await create(1), 400, "InvalidBody").target).toBe("/trigger/raisedOn");
  expectStatus(await create(30 / 3600), 201);
});

test("a claim's answer does not tell whether the case lists the stamp", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const listing = await stage.openCase({ stampIds: [stamp.stampId] });
  const silent = await stage.openCase({ stampIds: [randomUUID()] });
  const links = [];
  for (const caseNumber of [listing.caseNumber, silent.caseNumber, newCaseNumber()]) {
    links.push((await stamp.createBundle({ caseNumber })).links);
  }
  expect(links).toEqual([[], [], []]);
});

test("a file name is as long as any string of the contract, and a download is saved under the bundle's ids", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const fileName = `${"é".repeat(1020)}.zip`;
  const { bundle } = await accepted(stage, stamp, { fileName });
  expect(bundle.fileName).toBe(fileName);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);

  const download = await fetch(await supportCase.url(grantId, bundle));
  expect(download.status).toBe(200);
  const savedAs = `${stamp.stampId}-${bundle.bundleId}.zip`;
  expect(download.headers.get("content-disposition")).toBe(`attachment; filename="${savedAs}"`);
  await download.body?.cancel();
});

test("[invariant 9] a fault id that is a text and no code stays out of the ledger", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.enableConsent();
  const faults = ["Hidden.Fault_7-Critical", "Jane Doe called about node 3"];
  for (const faultId of faults) {
    const created = await stamp.createBundle({ mode: "proactive", trigger: { faultId, raisedOn: stage.on() } });
    expect(created.trigger?.faultId).toBe(faultId);
  }
  const events = (await stage.events(stamp.partition)).filter(({ type }) => type === "bundle.created");
  expect(events.map(({ data }) => data.faultId)).toEqual([faults[0], undefined]);
  expect(JSON.stringify(events)).not.toContain("Jane");
});
