import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod";

/**
 * The offline chain verifier: whether events, as somebody exported them, follow one another and none was altered. It shares nothing with the
 * service that wrote them but canonical JSON and hashing; the rules are those that `API.md` tells of `partition`, `seq`, `prevHash` and `hash`.
 * Events that were cut off a chain's end, or a chain that is missing as a whole, only show against a head that the reader holds.
 */

export type ProblemCode = "Malformed" | "SeqGap" | "WrongPrevHash" | "WrongHash";

export type Problem = {
  readonly code: ProblemCode;
  /** Where it stands: what the event itself says, as far as it can be read, and its place among those given, from 0. */
  readonly partition: string | undefined;
  readonly seq: number | undefined;
  readonly index: number;
  readonly message: string;
};

/** The last event of a chain. */
export type Head = { readonly seq: number; readonly hash: string };

export type Verdict = {
  /** Empty where every chain holds. */
  readonly problems: readonly Problem[];
  readonly events: number;
  /** By partition, in the order in which they began. */
  readonly heads: ReadonlyMap<string, Head>;
};

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** Fields beside these are no fault: they are part of what is hashed. */
export const anEvent = z.looseObject({
  partition: z.string().min(1),
  seq: z.int().min(1),
  on: z.string(),
  type: z.string(),
  actor: z.looseObject({ kind: z.string(), id: z.string() }),
  data: z.record(z.string(), z.unknown()),
  prevHash: hash,
  hash,
});
export type Event = z.infer<typeof anEvent>;

export const beforeTheFirst: Head = { seq: 0, hash: "0".repeat(64) };

/** Checks every chain. Events of one partition stand in their order; partitions may be mixed. Memory follows the partitions, not the events. */
export async function verifyChain(events: AsyncIterable<unknown> | Iterable<unknown>): Promise<Verdict> {
  const heads = new Map<string, Head>();
  const problems: Problem[] = [];
  let index = 0;
  for await (const given of events) {
    const parsed = anEvent.safeParse(given);
    if (parsed.success) {
      const event = parsed.data;
      const { partition, seq } = event;
      const found = faults(event, hashOf(given), heads.get(partition) ?? beforeTheFirst);
      problems.push(...found.map((fault) => ({ ...fault, partition, seq, index })));
      // Going on from what the event says of itself tells one problem once.
      heads.set(event.partition, { seq: event.seq, hash: event.hash });
    } else {
      problems.push({ code: "Malformed", ...placeOf(given), index, message: malformed(parsed.error) });
    }
    index += 1;
  }
  return { problems, events: index, heads };
}

export type Fault = Pick<Problem, "code" | "message">;

/** What is wrong with an event that follows `before` in its partition; `computed` is its hash as the reader makes it. */
export function faults(event: Event, computed: string | undefined, before: Head): Fault[] {
  const found: Fault[] = [];
  const fault = (code: ProblemCode, message: string) => void found.push({ code, message });
  if (event.seq !== before.seq + 1) fault("SeqGap", `follows seq ${before.seq}`);
  if (event.prevHash !== before.hash) {
    fault("WrongPrevHash", `says that it follows ${event.prevHash}, and follows ${before.hash}`);
  }
  if (event.hash !== computed) {
    fault("WrongHash", `says that its hash is ${event.hash}, and it is ${computed ?? "not to be told"}`);
  }
  return found;
}

/** Lower-case hex SHA-256 of the RFC 8785 form of the event, as it was given, without its hash; undefined where it has no such form. */
function hashOf(given: unknown): string | undefined {
  try {
    const fields = Object.entries(Object(given)).filter(([name]) => name !== "hash");
    const form = canonicalize(Object.fromEntries(fields));
    return form === undefined ? undefined : createHash("sha256").update(form, "utf8").digest("hex");
  } catch {
    return undefined;
  }
}

const place = z.object({ partition: z.string().optional().catch(undefined), seq: z.int().optional().catch(undefined) });

function placeOf(given: unknown): { partition: string | undefined; seq: number | undefined } {
  const read = place.safeParse(given);
  return { partition: read.data?.partition, seq: read.data?.seq };
}

export const malformed = (error: z.ZodError): string =>
  `is no event: ${error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`).join("; ")}`;
