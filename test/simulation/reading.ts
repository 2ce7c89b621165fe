import { z } from "zod";
import type { Answer } from "../support/system/http.ts";
import { issuedUrlShape } from "../support/system/shapes.ts";
import { getBlob } from "../support/system/storage.ts";
import { sha256Hex } from "../support/system/zip.ts";
import type { Chance } from "./chance.ts";
import { grantKey, type KnownBundle, type KnownGrant } from "./known.ts";
import { count, insist, type Outcome, type Simulation, streamOf, throughUrl } from "./simulation.ts";

/** An engineer reads what a grant lends: a whole bundle, or one file taken out of it. */

export type Reading = {
  readonly chance: Chance;
  /** Of the case. */
  readonly path: string;
  readonly lent: KnownGrant;
  readonly bundle: KnownBundle;
};

export const notLendable = [
  "NotFound",
  "CaseNotOpen",
  "GrantNotActive",
  "NotTheGrantee",
  "StampNotOnCase",
  "BundleNotLinked",
  "BundleNotAccepted",
  "PurgeDue",
  "PurposeNotConsented",
  "StampDisabled",
];

export async function readWhole(simulation: Simulation, reading: Reading): Promise<void> {
  const { path, lent, bundle } = reading;
  const asked = { stampId: bundle.stampId, bundleId: bundle.bundleId };
  const outcome = await ask(simulation, reading, "URL", `${path}/accessGrants/${lent.grantId}:issueUrl`, asked);
  if (outcome.kind === "done")
    await fetchThrough(simulation, bundle, issuedUrlShape.parse(outcome.answer.json).url, bundle.sha256);
}

const extractionShape = z.looseObject({ status: z.literal("Succeeded"), url: z.url() });

export async function readFile(simulation: Simulation, reading: Reading): Promise<void> {
  const { chance, path, lent, bundle } = reading;
  await listFiles(simulation, { ...reading, chance: streamOf(simulation, `list ${lent.grantId} ${bundle.bundleId}`) });
  const file = chance.oneOf(bundle.files);
  if (file === undefined) return;
  const place = `${path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}/files:extract`;
  const asked = { path: file.path, grantId: lent.grantId };
  const outcome = await ask(simulation, reading, "file", place, asked);
  if (outcome.kind === "done")
    await fetchThrough(simulation, bundle, extractionShape.parse(outcome.answer.json).url, file.sha256);
}

const fileListShape = z.looseObject({ value: z.array(z.looseObject({ path: z.string() })) });

/** The names of the files, which are no less content than the files. */
async function listFiles(simulation: Simulation, reading: Reading): Promise<void> {
  const { path, lent, bundle } = reading;
  const place = `${path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}/files`;
  const outcome = await ask(simulation, reading, "list", place, undefined, { grantId: lent.grantId });
  if (outcome.kind !== "done") return;
  const listed = fileListShape.parse(outcome.answer.json).value.map((file) => file.path);
  const missing = bundle.files.filter((file) => !listed.includes(file.path));
  if (missing.length > 0) throw new Error(`Bundle ${bundle.bundleId} is listed without ${missing.length} of its files`);
}

/** [invariant 5] No URL or list while a stamp that was asked has not approved, nor once one has said no, nor of a compromised stamp. */
async function ask(
  simulation: Simulation,
  { bundle, chance, lent }: Reading,
  what: string,
  path: string,
  body: unknown,
  query?: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const send = async (): Promise<Answer> => {
    const stamp = simulation.known.stamps.get(bundle.stampId);
    const wasCompromised = stamp?.isCompromised === true;
    const wasDenied = [...lent.denied.values()].includes("acknowledged");
    const engineer = await simulation.stage().person("E", lent.oid);
    const answer = await (query === undefined
      ? engineer.call("POST", path, body)
      : engineer.call("GET", path, undefined, { query }));
    const waits = [...lent.approvalOf].some((stampId) => lent.approved.get(stampId) === undefined);
    if (answer.status < 300 && (wasDenied || waits))
      throw new Error(`${what} under grant ${grantKey(lent)}, which was ${wasDenied ? "denied" : "not approved"}`);
    if (answer.status < 300 && wasCompromised && stamp.isCompromised)
      throw new Error(`${what} of compromised stamp ${bundle.stampId} under grant ${grantKey(lent)}`);
    return answer;
  };
  const name = lent.approvalOf.size === 0 ? what : `${what}, approved`;
  return await insist(simulation, chance, name, send, notLendable);
}

/** [invariant 6] What is read is what the stamp signed. */
async function fetchThrough(simulation: Simulation, bundle: KnownBundle, url: string, sha256: string): Promise<void> {
  simulation.known.urls.push({ url, bundle });
  const got = await throughUrl(simulation, () => getBlob(url));
  count(simulation, `read: ${got.status}`);
  if (![200, 403, 404].includes(got.status)) throw new Error(`An issued URL answers ${got.status} ${got.text}`);
  if (got.status === 200 && sha256Hex(got.body) !== sha256)
    throw new Error(`Bundle ${bundle.bundleId} is read as another than its stamp signed`);
}
