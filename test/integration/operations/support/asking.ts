import { expect } from "vitest";
import { setApproval } from "../../../support/system/approvals.ts";
import type { BundleName, CaseActor } from "../../../support/system/cases.ts";
import { expectStatus } from "../../../support/system/expectations.ts";
import { grantShape } from "../../../support/system/shapes.ts";
import { accepted } from "./bundles.ts";
import type { Stage } from "./stage.ts";

/** Grants on the bundles of stamps whose operators want to approve. */

export async function stampThatAsks(stage: Stage) {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  expectStatus(await setApproval(stamp, "required"), 200);
  return { stamp, bundle };
}

export async function caseWith(stage: Stage, ...bundles: readonly BundleName[]): Promise<CaseActor> {
  const supportCase = await stage.openCase({ stampIds: [...new Set(bundles.map(({ stampId }) => stampId))] });
  for (const bundle of bundles) expectStatus(await supportCase.link(bundle), 201);
  return supportCase;
}

export type Asked = Awaited<ReturnType<typeof asked>>;

/** A grant that waits. */
export async function asked(stage: Stage) {
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  const grant = await supportCase.grant([bundle]);
  expect(grant.state).toBe("pendingApproval");
  return { stamp, bundle, supportCase, grant };
}

export const seen = async ({ path }: CaseActor, grantId: string, by: Stage) =>
  grantShape.parse(expectStatus(await (await by.person("C")).call("GET", `${path}/accessGrants/${grantId}`), 200).json);

export const revoke = ({ engineer, path }: CaseActor, grantId: string) =>
  engineer.call("POST", `${path}/accessGrants/${grantId}:revoke`);
