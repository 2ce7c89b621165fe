import { expect, test } from "vitest";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";
import { acceptedOf } from "./support.ts";

/** A case of product health lends for that purpose alone, and only what the customer's consent includes it for: also by file. */

const stages = useStages();

const zip = await zipOf([{ name: "plain.log", content: Buffer.from("plain") }]);

/** A bundle under a consent of these purposes, linked to a case of that kind. */
async function linked(stage: Stage, kind: "support" | "productHealth", purposes: readonly string[]) {
  const stamp = await stage.registeredStamp();
  const consent = {
    decidedBy: "operator@contoso.example",
    decidedOn: stage.on(),
    termsVersion: await stage.currentTerms(),
    purposes,
  };
  const bundle = await acceptedOf(stage, stamp, zip, { consent });
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId], fields: { kind } });
  expectStatus(await supportCase.link(bundle), 201);
  const path = supportCase.linkPath(bundle);
  const { call } = supportCase.engineer;
  return {
    stamp,
    supportCase,
    list: () => call("GET", `${path}/files`),
    extract: () => call("POST", `${path}/files:extract`, { path: "plain.log" }),
    grant: (purpose: string) =>
      call(
        "PUT",
        `${supportCase.path}/accessGrants/${crypto.randomUUID()}`,
        supportCase.grantRequest([bundle], { purpose }),
      ),
  };
}

test("[invariant 5] a case of product health neither lists nor reads a file whose consent is for troubleshooting alone", async () => {
  const { list, extract, grant } = await linked(stages(), "productHealth", ["troubleshooting"]);
  expectRefusal(await list(), 403, "GrantNotActive");
  for (const purpose of ["productHealth", "troubleshooting"]) {
    expectRefusal(await grant(purpose), 403, "PurposeNotConsented");
  }
  expectRefusal(await extract(), 403, "GrantNotActive");
});

test("[invariant 5] it reads one that the consent includes, for that purpose alone, and says so", async () => {
  const stage = stages();
  const { list, extract, grant, stamp } = await linked(stage, "productHealth", ["troubleshooting", "productHealth"]);
  expectRefusal(await list(), 403, "GrantNotActive");
  expectRefusal(await grant("troubleshooting"), 403, "PurposeNotConsented");
  expectStatus(await grant("productHealth"), 201);
  expectStatus(await list(), 200);
  expectStatus(await extract(), 200);
  const accessed = (await stage.events(stamp.partition)).filter(({ type }) =>
    ["bundle.listed", "bundle.accessed"].includes(type),
  );
  const said = expect.objectContaining({ purpose: "productHealth", caseKind: "productHealth" });
  expect(accessed.map(({ data }) => data)).toEqual([said, said]);
});

test("[invariant 5] a grant for troubleshooting lends no file once its case is one of product health", async () => {
  const { list, extract, grant, supportCase } = await linked(stages(), "support", ["troubleshooting"]);
  expectStatus(await grant("troubleshooting"), 201);
  expectStatus(await extract(), 200);
  expectStatus(await supportCase.put({ kind: "productHealth" }), 200);
  expectRefusal(await extract(), 403, "PurposeNotConsented");
  expectRefusal(await list(), 403, "PurposeNotConsented");
});

test("[invariant 5] a support case lists and reads what is consented for product health alone, for that purpose", async () => {
  const { list, extract, grant } = await linked(stages(), "support", ["productHealth"]);
  expectRefusal(await grant("troubleshooting"), 403, "PurposeNotConsented");
  expectStatus(await grant("productHealth"), 201);
  expectStatus(await list(), 200);
  expectStatus(await extract(), 200);
});
