import { time } from "../../../client/output.ts";
import type { Bundle } from "../../../shared/api/bundles.ts";
import { openPaper } from "../papers.ts";
import { type Now, raise, type Stage } from "../stage.ts";
import type { Loan } from "./support.ts";

/** The bytes go; the row, the events and the proof stay. */

const dayMs = 86_400_000;

export async function moveToPurge(stage: Stage, bundle: Bundle, { url }: Loan): Promise<Now> {
  const { story } = stage;
  story.chapter("The clock moves to the day of deletion");
  story.claim("today the URL from before still reads: it has its 15 minutes", await whatIsAt(url), {
    status: 200,
    code: null,
  });
  const days = Math.ceil((Date.parse(bundle.purgeOn) - Date.now()) / dayMs) + 1;
  const now = await raise(stage, days);
  story.tell(`The service starts again, ${days} days later by its clock of retention, and purges what is due.`);
  await now.people.runTimer("purgeDue");
  // Storage listens elsewhere after a restart, and a URL's signature is not bound to that.
  const sameUrl = new URL(new URL(url).pathname + new URL(url).search, now.service.blobEndpoint).href;
  const nothing = { status: 404, code: "ContainerNotFound" };
  story.claim(
    "the same URL, still within its minutes, finds nothing: the day's container is gone",
    await whatIsAt(sameUrl),
    nothing,
  );
  return now;
}

export async function lookBack({ story, stampId }: Stage, { people, stamp }: Now, before: Bundle): Promise<void> {
  story.chapter("What remains");
  const bundle = await stamp.bundle(before.bundleId);
  story.claim("the bundle's row, purged because of its age", [bundle.state, bundle.purge?.basis], ["purged", "age"]);
  story.claim("with the digest of what was there", bundle.sha256, before.sha256);
  const { certificate } = await people.auditor.certificate(stampId, before.bundleId);
  const proof = await openPaper(certificate, "deletion-certificate+jwt", await people.jwks());
  story.claim(
    "a certificate that these bytes are gone, signed with a published key",
    [proof.sub, proof.bundleId, proof.sha256],
    [stampId, before.bundleId, before.sha256],
  );
  if (bundle.purge?.deletedOn !== undefined)
    story.aside(`Deleted on ${time(bundle.purge.deletedOn)}, by the service's moved clock.`);
}

const storyOfStamp = [
  "stamp.registered",
  "consent.decided",
  "bundle.created",
  "bundle.submitted",
  "bundle.accepted",
  "bundle.accessed",
  "bundle.listed",
  "access.approved",
  "bundle.purged",
];
const storyOfService = ["checkpoint.sealed", "container.purgeIntended", "container.purged", "audit.exported"];
const storyOfCase = [
  "case.updated",
  "bundle.linked",
  "grant.requested",
  "grant.activated",
  "url.issued",
  "case.closed",
];

export async function readLedger({ story, stampId, caseNumber }: Stage, { people }: Now): Promise<void> {
  story.chapter("The ledger of it all");
  const chains = Map.groupBy(await people.auditor.events(), ({ partition }) => partition);
  for (const [partition, events] of chains) {
    story.tell(partition);
    for (const { seq, type, on } of events) story.aside(`${String(seq).padStart(4)}  ${time(on)}  ${type}`);
  }
  const types = (partition: string) => chains.get(partition)?.map(({ type }) => type) ?? [];
  const missing = [
    ...storyOfStamp.filter((type) => !types(`stamps/${stampId}`).includes(type)),
    ...storyOfService.filter((type) => !types("service").includes(type)),
    ...storyOfCase.filter((type) => !types(`cases/${caseNumber}`).includes(type)),
  ];
  story.claim("all that happened here is in it", missing, []);
  story.claim("and nobody's name is", JSON.stringify([...chains]).includes("Maria"), false);
}

async function whatIsAt(url: string): Promise<{ status: number; code: string | null }> {
  const { status, headers } = await fetch(url, { method: "HEAD" });
  return { status, code: headers.get("x-ms-error-code") };
}
