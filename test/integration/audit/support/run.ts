import { execFile } from "node:child_process";
import { createServer, type RequestListener, type Server } from "node:http";
import { resolve } from "node:path";
import { afterEach } from "vitest";
import { z } from "zod";

/** The auditor's command line as a process, and services of the test's own for it to read. */

export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** `directory` is its `LOCAL_DIR`. */
export const runAudit = (directory: string, ...parameters: readonly string[]): Promise<Ran> =>
  new Promise((done) => {
    const script = resolve(import.meta.dirname, "../../../../audit/cli.ts");
    const environment = { ...process.env, NODE_OPTIONS: "", LOCAL_DIR: directory };
    const child = execFile(process.execPath, [script, ...parameters], { env: environment }, (_, stdout, stderr) =>
      done({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });

const boundTo = z.object({ port: z.int() });

/** Call it at the top of a test file; what it gives serves until the test has ended. */
export function useServers(): (answer: (origin: string) => RequestListener) => Promise<{ readonly origin: string }> {
  const running = new Set<Server>();
  afterEach(async () => {
    await Promise.all([...running].map((server) => new Promise((closed) => server.close(closed))));
    running.clear();
  });
  return async (answer) => {
    const server = createServer((request, response) => answer(originOf())(request, response));
    const originOf = () => `http://127.0.0.1:${boundTo.parse(server.address()).port}`;
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    running.add(server);
    return { origin: originOf() };
  };
}
