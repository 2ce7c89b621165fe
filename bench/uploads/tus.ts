import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Upload } from "tus-js-client";
import { z } from "zod";
import { timed } from "../rounds.ts";

/** Resumable uploads as tus does them: every byte passes through its server, which appends it to a blob, one chunk at a time. */

const ready = z.object({ endpoint: z.url() });

export type TusServer = { readonly endpoint: string; readonly stop: () => Promise<void> };

/** Starts a tus server on a free port as a process of its own, as the service is one; its files go to `container`. */
export async function startTusServer(connectionString: string, container: string): Promise<TusServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "tusServer.ts")], {
    env: { ...process.env, BENCH_STORAGE: connectionString, BENCH_CONTAINER: container },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const failed = ended.then(() => Promise.reject(new Error("The tus server ended before it listened")));
  const [message] = await Promise.race([once(child, "message"), failed]);
  return {
    endpoint: ready.parse(message).endpoint,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** Uploads the file once, in chunks of that size. */
export async function uploadByTus(endpoint: string, path: string, chunkSize: number): Promise<number> {
  const { size: uploadSize } = await stat(path);
  return await timed(
    () =>
      new Promise<void>((resolve, reject) => {
        const options = { endpoint, uploadSize, chunkSize, retryDelays: null, onSuccess: resolve, onError: reject };
        new Upload(createReadStream(path, { highWaterMark: 1024 * 1024 }), options).start();
      }),
  );
}
