import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { parseHostJson } from "../../../local/host/hostJson.ts";
import { listen } from "../../../local/host/httpServer.ts";
import type { QueuePace } from "../../../local/host/queueListener.ts";
import { type FunctionsHost, loadFunctionApp, startFunctionsHost } from "../../../local/host.ts";

export type TestHost = FunctionsHost & { readonly origin: string; readonly queueName: string };

export const fixtureEntry = join(import.meta.dirname, "app.ts");

/** Runs the fixture app in this process, on a free port, with a queue name of its own. */
export async function startFixture(options: {
  readonly storage: string;
  readonly queueName?: string;
  readonly queuePace?: QueuePace;
  /** As in host.json. */
  readonly queues?: object;
  /** Settings beside those that every test of it has. */
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<TestHost> {
  const queueName = options.queueName ?? `q-${randomUUID()}`;
  const server = await listen(0);
  const host = await startFunctionsHost({
    core: await loadFunctionApp(fixtureEntry),
    hostJson: parseHostJson({ version: "2.0", extensions: { http: { routePrefix: "" }, queues: options.queues } }),
    server,
    environment: { StateStorage: options.storage, HOST_TEST_QUEUE: queueName, ...options.environment },
    directory: import.meta.dirname,
    ...(options.queuePace === undefined ? {} : { queuePace: options.queuePace }),
  });
  return { ...host, origin: `http://127.0.0.1:${server.port}`, queueName };
}

const runs = z.array(z.object({ functionName: z.string(), input: z.unknown(), dequeueCount: z.number().optional() }));

/** What has run in the fixture app at `origin`, oldest first. */
export const runsOf = async (origin: string): Promise<z.infer<typeof runs>> =>
  runs.parse(await (await fetch(`${origin}/runs`)).json());

/** Lets go what the fixture app holds under `key`. */
export async function release(origin: string, key: string): Promise<void> {
  await fetch(`${origin}/release/${key}`, { method: "POST" });
}
