import { createHash } from "node:crypto";
import { join } from "node:path";
import { currentTerms, keyIdOf, publicHalf, register, sendBundle, uploadMemory } from "../../../client/index.ts";
import { size, time } from "../../../client/output.ts";
import type { Bundle } from "../../../shared/api/bundles.ts";
import { digestOfFile } from "../digest.ts";
import { type MadeBundle, makeBundle } from "../logs.ts";
import { openPaper } from "../papers.ts";
import { type Now, raise, type Stage } from "../stage.ts";

/** From nothing to an accepted bundle. */

const stampVersion = "1.2501.1.47";
const seed = "Urp.UpdateFailure on ERCS01";
const fourHoursMs = 4 * 3_600_000;

export type Logs = MadeBundle & { readonly sha256: string; readonly sizeBytes: number };

export async function startService(stage: Stage): Promise<Now> {
  const { story } = stage;
  story.chapter("A service of its own");
  const begun = performance.now();
  const now = await raise(stage);
  story.tell(`It listens at ${now.service.origin}, with real Blob, Table and Queue storage inside (Azurite).`);
  story.aside(`Ready after ${((performance.now() - begun) / 1000).toFixed(1)} s; all of it lives in ${stage.folder}.`);
  return now;
}

export async function collectLogs({ story, folder, stampId, deploymentId }: Stage): Promise<Logs> {
  story.chapter("Logs, as a stamp collects them");
  const made = await makeBundle(folder, { stampId, deploymentId, stampVersion }, new Date(), seed);
  const logs = { ...made, ...(await digestOfFile(made.path)) };
  story.tell(`${logs.fileName}, ${size(logs.sizeBytes)}:`);
  story.tell(
    `${logs.roles.length} role zips (${logs.roles.slice(0, 4).join(", ")}…) with event logs of ${logs.nodes} machines.`,
  );
  story.aside(`SHA-256 ${logs.sha256}`);
  return logs;
}

export async function registerStamp({ story, stampId, deploymentId, key }: Stage, { people }: Now): Promise<void> {
  story.chapter("The registration service vouches for the stamp and its key");
  const jwk = publicHalf(key);
  const stamp = await register(people.registration, stampId, {
    displayName: "Contoso, Rotterdam, rack 1",
    stampVersion,
    deploymentId,
    cloud: "AzureCloud",
    geography: "Europe",
    registrationResourceId: `/subscriptions/${crypto.randomUUID()}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/contoso-rotterdam`,
    keys: [{ keyId: await keyIdOf(jwk), jwk }],
  });
  story.tell(`"${stamp.displayName}" is known as ${stamp.stampId}.`);
  story.claim(
    "it is enabled, in the first generation of its registration",
    [stamp.state, stamp.registrationGeneration],
    ["enabled", 1],
  );
}

export async function giveConsent({ story }: Stage, { people, stamp }: Now): Promise<void> {
  story.chapter("An operator reads the terms and lets the stamp send logs by itself");
  const terms = await currentTerms(stamp.service);
  const text = new Uint8Array(await (await fetch(terms.url)).arrayBuffer());
  const consent = await stamp.decideConsent({
    state: "enabled",
    decidedBy: "Maria Jansen",
    termsVersion: terms.version,
  });
  story.tell(`Maria Jansen has read terms ${terms.version} (${text.length} bytes) and says yes.`);
  story.claim(
    "the consent names the very text that she read",
    consent.termsSha256,
    createHash("sha256").update(text).digest("hex"),
  );
  const receipt = await openPaper(consent.receipt ?? "", "consent-receipt+jwt", await people.jwks());
  story.claim(
    "her receipt is signed by the service, for this decision",
    [receipt.sub, receipt.decision],
    [stamp.stampId, "enabled"],
  );
}

export async function sendForAlert({ story, folder }: Stage, { stamp }: Now, logs: Logs): Promise<Bundle> {
  story.chapter("An update fails; the stamp sends its logs before anybody opens a case");
  const raisedOn = new Date();
  const begun = performance.now();
  const { bundle } = await sendBundle(
    stamp,
    logs.path,
    {
      mode: "proactive",
      trigger: { faultId: "Urp.UpdateFailure", raisedOn: raisedOn.toISOString() },
      logsFrom: new Date(raisedOn.getTime() - fourHoursMs).toISOString(),
      logsTo: raisedOn.toISOString(),
      collectedOn: raisedOn.toISOString(),
      stampVersion,
      roles: [...logs.roles],
    },
    { memory: uploadMemory(join(folder, "uploads")) },
  );
  const seconds = (performance.now() - begun) / 1000;
  story.tell(`Created, sent block by block straight to storage, signed, verified: ${seconds.toFixed(1)} s in all.`);
  story.claim(
    "the service accepts it: what it holds is what the stamp signed",
    [bundle.state, bundle.rejection, bundle.sha256],
    ["accepted", undefined, logs.sha256],
  );
  story.claim("its row names the consent that it was collected under", bundle.consentDecision.basis, "proactive");
  story.tell(`Due to be deleted on ${time(bundle.purgeOn)}; never kept past ${time(bundle.deleteBy)}.`);
  return bundle;
}
