import { expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import type { Stage } from "../operations/support/stage.ts";

/** A bundle of these bytes, sent and verified. */
export async function acceptedOf(
  stage: Stage,
  stamp: StampActor,
  zip: Buffer,
  changes: Readonly<Record<string, unknown>> = {},
) {
  const created = await stamp.createBundle({ sizeBytes: zip.byteLength, ...changes });
  await stamp.upload(created, zip);
  expectStatus(await stamp.submit(created.bundleId, zip), 202);
  await stage.verify(created);
  return created;
}

/** A bundle of these bytes, linked to a case whose engineer has a grant of it. */
export async function lentBundle(stage: Stage, zip: Buffer, grantChanges: Readonly<Record<string, unknown>> = {}) {
  const stamp = await stage.registeredStamp();
  const created = await acceptedOf(stage, stamp, zip);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(created), 201);
  const grant = await supportCase.grant([created], grantChanges);
  const path = supportCase.linkPath(created);
  const call = (verb: string, route: string, body?: unknown, query = {}): Promise<Answer> =>
    supportCase.engineer.call(verb, `${path}${route}`, body, { query });
  const extract = (path: string, by = supportCase.engineer, more = {}): Promise<Answer> =>
    by.call("POST", `${supportCase.linkPath(created)}/files:extract`, { path, ...more });
  const erase = (): Promise<Answer> =>
    stamp.call("POST", `${stamp.bundlePath(created.bundleId)}:erase`, { decidedBy: "operator", reason: "by mistake" });
  return { stamp, supportCase, grant, bundle: created, call, extract, erase };
}
