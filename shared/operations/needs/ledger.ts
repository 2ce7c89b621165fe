import type { ChainedEvent, ChainPosition } from "../../domain/event.ts";
import type { UtcDay } from "../../domain/utcDay.ts";

/** A partition and its chain of events. */

/** A partition as it was read: its head is the lock (`DESIGN.md`, Data). */
export type Head<State> = {
  readonly partition: string;
  readonly position: ChainPosition;
  /** Absent where the partition has not begun. */
  readonly state: State | undefined;
  readonly touchedDay: string | undefined;
  readonly etag: string | undefined;
};

/** Thrown by a commit whose head had moved, or whose new row was there already: read again and decide again. */
export class HeadMoved extends Error {
  override readonly name = "HeadMoved";

  /** What was raced for: a partition of a table. */
  readonly place: string;

  constructor(place: string, options?: ErrorOptions) {
    super(`${place} has moved on`, options);
    this.place = place;
  }
}

/** Bytes that bundles begun on the day were announced to have. */
export type Announced = { readonly day: UtcDay; readonly bytes: number };

export type Events = {
  /** A partition's events after `afterSeq`, in order. */
  readonly of: (partition: string, afterSeq: number) => AsyncIterable<ChainedEvent>;
  /** Where a partition's chain stands; undefined where there is no such partition. */
  readonly position: (partition: string) => Promise<ChainPosition | undefined>;
};
