import { randomUUID } from "node:crypto";
import { type DropBoxId, type StampId, toUtcTime } from "../../api/primitives.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import { senderOf } from "../../domain/dropBox.ts";
import { instant } from "../../domain/retention.ts";
import type { StampChange, StampHead, World } from "../needs.ts";
import { transact } from "../transact.ts";
import { asDropBox } from "./view.ts";

/**
 * One instance at a time empties a box. It holds a claim in the box's head, which expires; what it writes is committed under the head's ETag and only
 * while the claim is its own, so that an instance that was paused writes nothing more.
 */

type Needs = Pick<World, "clock" | "stamps">;

export type BoxTurn = { readonly stampId: StampId; readonly holder: string };

/** Longer than a turn works, so that a claim ends by itself only where its holder died or hangs. */
const claimMs = 60_000;

/** Another instance has the claim now, or the box is closed. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** Undefined where the box is not closing, or another instance empties it. */
export async function takeTurn(
  { clock, stamps }: Needs,
  dropBoxId: DropBoxId,
): Promise<{ readonly turn: BoxTurn; readonly box: DropBoxRecord } | undefined> {
  const turn = { stampId: senderOf(dropBoxId), holder: randomUUID() };
  const box = await transact(
    () => stamps.head(turn.stampId),
    async (head) => {
      const standing = asDropBox(head);
      if (standing?.state !== "closing") return undefined;
      // The commit of an earlier try, whose answer was lost.
      if (standing.claim?.holder === turn.holder) return standing;
      const now = clock.now();
      if (standing.claim !== undefined && instant(standing.claim.until) > now.getTime()) return undefined;
      const until = toUtcTime(new Date(now.getTime() + claimMs));
      const next = { ...standing, claim: { holder: turn.holder, until } };
      await stamps.commit(turn.stampId, head, { events: [], sender: next }, now);
      return next;
    },
  );
  return box && { turn, box };
}

/** Commits `change` of the box as it stands; undefined leaves it. Throws `Overtaken`. */
export async function writeInTurn(
  { clock, stamps }: Needs,
  { stampId, holder }: BoxTurn,
  change: (box: DropBoxRecord, head: StampHead, isFirst: boolean) => Promise<StampChange | undefined>,
): Promise<void> {
  await transact(
    () => stamps.head(stampId),
    async (head, isFirst) => {
      const box = asDropBox(head);
      if (box?.state !== "closing" || box.claim?.holder !== holder) throw new Overtaken();
      const changed = await change(box, head, isFirst);
      if (changed !== undefined) await stamps.commit(stampId, head, changed, clock.now());
    },
  );
}

/** The box without its claim; `facts` are what the turn found out about it. */
export async function endTurn(
  world: Needs,
  turn: BoxTurn,
  facts: Pick<Partial<DropBoxRecord>, "listedOn" | "emptied">,
): Promise<void> {
  await writeInTurn(world, turn, async ({ claim: _claim, ...box }) => ({ events: [], sender: { ...box, ...facts } }));
}
