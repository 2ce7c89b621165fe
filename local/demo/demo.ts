import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodes, explain } from "../../client/failure.ts";
import { generateKey } from "../../client/index.ts";
import { askFirst } from "./chapters/approving.ts";
import { readReport, sealCheckpoint, verifyAlone } from "./chapters/auditing.ts";
import { lookBack, moveToPurge, readLedger } from "./chapters/ending.ts";
import { readOneFile } from "./chapters/files.ts";
import { collectLogs, giveConsent, registerStamp, sendForAlert, startService } from "./chapters/sending.ts";
import { borrow, closeCase, download, openCase, showAccesses } from "./chapters/support.ts";
import { type Stage, strike } from "./stage.ts";
import { NotSo, teller } from "./telling.ts";

/** `npm run demo`: a bundle's whole life, against a service of the demo's own. Every line with a ✓ was checked. */

async function play(stage: Stage): Promise<void> {
  const now = await startService(stage);
  const logs = await collectLogs(stage);
  await registerStamp(stage, now);
  await giveConsent(stage, now);
  const bundle = await sendForAlert(stage, now, logs);
  await openCase(stage, now, bundle);
  const loan = await borrow(stage, now, bundle);
  await download(stage, loan, logs);
  await showAccesses(stage, now, bundle);
  await readOneFile(stage, now, bundle);
  await askFirst(stage, now, bundle);
  await closeCase(stage, now, bundle, loan);
  const anchors = await sealCheckpoint(stage, now);
  const later = await moveToPurge(stage, bundle, loan);
  await lookBack(stage, later, bundle);
  await readReport(stage, later);
  await readLedger(stage, later);
  await verifyAlone(stage, later, anchors);
}

const story = teller();
const stage: Stage = {
  story,
  folder: await mkdtemp(join(tmpdir(), "stamp-intake-demo-")),
  stampId: randomUUID(),
  deploymentId: randomUUID(),
  key: generateKey(),
  engineer: randomUUID(),
  caseNumber: "2211280040006230",
  service: undefined,
  struck: false,
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void strike(stage).finally(() => process.exit(exitCodes.interrupted)));
}

try {
  const begun = performance.now();
  story.title("The life of a bundle, from an alert on a stamp to the proof that it is gone");
  await play(stage);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  story.title(`All ${story.claims()} claims held, in ${seconds} seconds.`);
  story.tell("To play it yourself: npm start, and then npm run stamp -- register");
} catch (error) {
  process.exitCode = 1;
  if (!stage.struck) await complain(error);
} finally {
  await strike(stage);
}

async function complain(error: unknown): Promise<void> {
  if (error instanceof NotSo) story.failed(error);
  else story.title(`The story breaks off: ${explain(error).lines.join(" ")}`);
  const service = await stage.service?.catch(() => undefined);
  const printed = service?.printed().trim();
  if (printed) process.stderr.write(`\nThe service printed:\n${printed}\n`);
}
