/**
 * The service's metrics, named once. Each is read off the structured lines of the log: a line's event says that it happened, one of its facts how much,
 * others are the metric's attributes. So the reason code of a refusal is the answer's, the line's and the metric's.
 */

export type Metric = {
  readonly name: string;
  readonly kind: "counter" | "histogram";
  /** In the words of UCUM (https://ucum.org). */
  readonly unit: string;
  readonly description: string;
  readonly events: readonly string[];
  /** The fact that is measured; each line counts one where none is named. */
  readonly fact?: string;
  readonly attributes: readonly string[];
};

const requests = ["request.done", "request.refused", "request.failed"] as const;
const operations = ["operation.done", "operation.failed"] as const;

/** Lines that end a request, a timer or a message: a span each. */
export const spanEvents: readonly string[] = [...requests, ...operations];

export const metrics: readonly Metric[] = [
  {
    name: "stamp_intake.requests",
    kind: "counter",
    unit: "{request}",
    description: "Requests by operation and status.",
    events: requests,
    attributes: ["operation", "status"],
  },
  {
    name: "stamp_intake.refusals",
    kind: "counter",
    unit: "{request}",
    description: "Requests that were not done, by reason code.",
    events: ["request.refused", "request.failed"],
    attributes: ["operation", "code"],
  },
  {
    name: "stamp_intake.operation.duration",
    kind: "histogram",
    unit: "ms",
    description: "How long requests, timers and messages took.",
    events: spanEvents,
    fact: "durationMs",
    attributes: ["operation"],
  },
  {
    name: "stamp_intake.operation.round_trips",
    kind: "histogram",
    unit: "{call}",
    description: "Storage calls that a request, timer or message made.",
    events: spanEvents,
    fact: "roundTrips",
    attributes: ["operation"],
  },
  {
    name: "stamp_intake.verification.lag",
    kind: "histogram",
    unit: "s",
    description: "From submit to verdict.",
    events: ["bundle.accepted", "bundle.rejected"],
    fact: "lagSeconds",
    attributes: ["code"],
  },
  {
    name: "stamp_intake.verification.bytes",
    kind: "counter",
    unit: "By",
    description: "Bytes of bundles that were accepted.",
    events: ["bundle.accepted"],
    fact: "sizeBytes",
    attributes: [],
  },
  {
    name: "stamp_intake.purge.age",
    kind: "histogram",
    unit: "d",
    description: "Days from a bundle's creation to its verified deletion.",
    events: ["bundle.purged"],
    fact: "ageDays",
    attributes: ["basis"],
  },
];
