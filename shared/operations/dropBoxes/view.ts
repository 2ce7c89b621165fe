import type { DropBox } from "../../api/dropBoxes.ts";
import type { CaseNumber, DropBoxId, UtcTime } from "../../api/primitives.ts";
import { toUtcTime } from "../../api/primitives.ts";
import { type DropBoxRecord, takesFiles } from "../../domain/dropBox.ts";
import { subjectId } from "../../domain/people.ts";
import type { StampHead, World } from "../needs.ts";
import { noSuchDropBox } from "../refusals.ts";

export type DropBoxPlace = { readonly caseNumber: CaseNumber; readonly dropBoxId: DropBoxId };

/** The drop box of a partition; undefined for a stamp, and where there is nothing. */
export const asDropBox = ({ state }: StampHead): DropBoxRecord | undefined =>
  state?.kind === "dropBox" ? state : undefined;

/** To a case there are only its own boxes. */
export function requireDropBox(head: StampHead, { caseNumber }: Pick<DropBoxPlace, "caseNumber">): DropBoxRecord {
  const box = asDropBox(head);
  if (box?.caseNumber !== caseNumber) throw noSuchDropBox();
  return box;
}

/** The box without its URL; one whose time is over shows as closing, whether or not that is written yet. */
export async function dropBoxView(
  world: Pick<World, "clock" | "people" | "stamps">,
  box: DropBoxRecord,
): Promise<DropBox> {
  const nameOf = async (subject: string) => (await world.people.whois(subjectId.parse(subject)))?.identity;
  const [name, decidedBy, email] = await Promise.all([
    nameOf(box.contact),
    nameOf(box.decidedBy),
    box.emailNote === undefined ? undefined : world.stamps.note(box.stampId, box.emailNote),
  ]);
  const { decisionId, decidedOn, termsVersion, purposes } = box.consentDecision;
  const over = box.state === "open" && !takesFiles(box, world.clock.now());
  const closing = over ? { on: box.expiresOn, reason: "expired" as const } : box.closing;
  return {
    caseNumber: box.caseNumber,
    dropBoxId: box.dropBoxId,
    stampId: box.stampId,
    state: over ? "closing" : box.state,
    contact: { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email: email.text }) },
    consentDecision: {
      decisionId,
      basis: "operator",
      ...(decidedBy === undefined ? {} : { decidedBy }),
      decidedOn,
      termsVersion,
      purposes,
    },
    ...(box.stampVersion === undefined ? {} : { stampVersion: box.stampVersion }),
    createdOn: box.createdOn,
    expiresOn: box.expiresOn,
    ...(closing === undefined ? {} : { closing }),
    ...(box.closedOn === undefined ? {} : { closedOn: box.closedOn }),
    ...(box.state === "closed" ? { arrived: arrivedIn(box) } : {}),
    deleteBy: box.deleteBy,
    purgeOn: box.purgeOn,
  };
}

const arrivedIn = ({ emptied }: DropBoxRecord): NonNullable<DropBox["arrived"]> => ({
  files: emptied?.files ?? 0,
  bytes: emptied?.bytes ?? 0,
  refused: emptied?.refused ?? [],
});

/** When a URL given now ends: with its box, in real time. */
export const urlEnd = (world: Pick<World, "clock">, expiresOn: UtcTime): Date =>
  new Date(world.clock.real().getTime() + Date.parse(expiresOn) - world.clock.now().getTime());

/** The URL of an open box, and the line that the privileged endpoint takes. Call after the event that says it was given is committed. */
export async function uploadFor(
  world: Pick<World, "boxes" | "clock">,
  box: DropBoxRecord,
): Promise<NonNullable<DropBox["upload"]>> {
  const expiresOn = urlEnd(world, box.expiresOn);
  const url = await world.boxes.url(box.account, box.container, expiresOn);
  return { url, expiresOn: toUtcTime(expiresOn), command: `Get-AzureStackLog -OutputSasUri "${url}"` };
}
