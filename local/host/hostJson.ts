import { readFile } from "node:fs/promises";
import { z } from "zod";

/** `hh:mm:ss`, as .NET writes a time span. */
const timeSpanMilliseconds = z
  .string()
  .regex(/^\d{1,2}:[0-5]\d:[0-5]\d(\.\d+)?$/, "must be a time such as 00:00:30")
  .transform((text) => {
    const [hours, minutes, seconds] = text.split(":").map(Number);
    return ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000;
  });

const queues = z
  .looseObject({
    batchSize: z.int().min(1).max(32).default(16),
    newBatchThreshold: z.int().min(0).default(8),
    maxDequeueCount: z.int().min(1).default(5),
    visibilityTimeout: timeSpanMilliseconds.default(0),
    maxPollingInterval: timeSpanMilliseconds.default(60_000),
    messageEncoding: z.enum(["base64", "none"]).default("base64"),
  })
  .prefault({});

const hostJson = z.looseObject({
  version: z.literal("2.0"),
  extensions: z
    .looseObject({ http: z.looseObject({ routePrefix: z.string().default("api") }).prefault({}), queues })
    .prefault({}),
});

export type QueueSettings = z.infer<typeof queues>;
/** The settings of `host.json` that the embedded host honours, with the real host's defaults; times in milliseconds. */
export type HostJson = z.infer<typeof hostJson>;

/** Reads `host.json`. Throws an `Error` that names what is wrong in it. */
export async function readHostJson(path: string | URL): Promise<HostJson> {
  return parseHostJson(JSON.parse(await readFile(path, "utf8")));
}

/** Parses the content of a `host.json`. Throws an `Error` that names what is wrong in it. */
export function parseHostJson(content: unknown): HostJson {
  const parsed = hostJson.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Error(
    `host.json: ${parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ")}`,
  );
}
