import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { size, time } from "../../../client/output.ts";
import { audit } from "../audit.ts";
import { openPaper } from "../papers.ts";
import type { Now, Stage } from "../stage.ts";

/** An auditor who trusts nobody but a key and what they kept themselves. */

/** What the auditor holds before the rest happens. */
export type Anchors = { readonly thumbprint: string; readonly heldFile: string };

export async function sealCheckpoint({ story, folder }: Stage, { people }: Now): Promise<Anchors> {
  story.chapter("A checkpoint is sealed, and the auditor keeps it");
  await people.runTimer("sealCheckpoint");
  const [sealed] = await people.auditor.checkpoints();
  const jwks = await people.jwks();
  const { seq, treeSize, events } = await openPaper(sealed?.checkpoint ?? "", "checkpoint+jwt", jwks);
  story.claim("it is signed, the first of its chain", seq, 1);
  story.tell(`Its Merkle root covers all ${events} events so far, of ${treeSize} partitions.`);
  const heldFile = join(folder, "held.jws");
  await writeFile(heldFile, sealed?.checkpoint ?? "");
  const thumbprint = await calculateJwkThumbprint(jwks.keys[0] ?? {});
  story.aside(`The key's thumbprint, as its owner tells it: ${thumbprint}`);
  return { thumbprint, heldFile };
}

export async function readReport({ story }: Stage, { people }: Now): Promise<void> {
  story.chapter("The retention report");
  const { bundlesByState, bytesHeld, daysHeld, days, consentCoverage, accesses, violations } =
    await people.auditor.retention();
  for (const { day, created, purgedOn, purgedBy } of days) {
    const bases = Object.entries(purgedBy).map(([basis, count]) => `${count} by ${basis}`);
    story.tell(
      `${day}: ${created} created, purged on ${purgedOn === undefined ? "no day yet" : time(purgedOn)}, ${bases.join(", ")}`,
    );
  }
  story.claim("all bundles are purged", bundlesByState, { purged: consentCoverage.bundles });
  story.claim(`${size(bytesHeld)} held, on no day`, [bytesHeld, daysHeld], [0, 0]);
  story.claim("each was collected under a consent", consentCoverage.covered, consentCoverage.bundles);
  const { byPurpose, outsideSupportCase } = accesses;
  story.claim(
    "each was read for a case, and for its purpose",
    [Object.keys(byPurpose), outsideSupportCase],
    [["troubleshooting"], 0],
  );
  story.claim("no promise was broken", violations, []);
}

export async function verifyAlone(
  { story, folder }: Stage,
  { people }: Now,
  { thumbprint, heldFile }: Anchors,
): Promise<void> {
  story.chapter("The auditor takes the ledger home, and checks it without network");
  await people.runTimer("sealCheckpoint");
  const directory = join(folder, "export");
  story.tell("npm run audit -- export, then verify with --trust and --since");
  const exported = await audit(folder, "export", directory);
  story.aside(exported.lines[0] ?? "");
  const verify = () => audit(folder, "verify", directory, "--trust", thumbprint, "--since", heldFile);
  const whole = await verify();
  for (const line of whole.lines.slice(0, -1)) story.aside(line.trim());
  story.tell(whole.lines.at(-1) ?? "");
  story.claim("nothing was altered, left out or added, since before the bytes were gone", whole.exitCode, 0);

  const events = join(directory, "events.ndjson");
  await writeFile(events, (await readFile(events, "utf8")).replace("bundle.accessed", "bundle.accepted"));
  const forged = await verify();
  story.tell("Now one word of it is changed, so that nobody has read the logs:");
  story.aside(forged.lines.find((line) => line.startsWith("PROBLEM")) ?? "");
  story.claim("it shows", forged.exitCode, 1);
}
