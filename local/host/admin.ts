import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { FunctionApp } from "./functions.ts";
import { readBody, send, sendText } from "./httpData.ts";
import type { Invocation, Invoker } from "./invoker.ts";
import { describeError, logLine } from "./log.ts";
import { isFromAnotherOrigin, notAnotherOrigin } from "./loopback.ts";
import type { RequestTarget } from "./requestTarget.ts";
import { timerData } from "./timers.ts";

const invocation = z.looseObject({ input: z.string().optional() });

/**
 * The host's own endpoints: `GET /admin/functions` lists the functions, `POST /admin/functions/<name>` runs one now.
 * On one machine no key is asked for, so web pages are refused (403); the 202 comes when the run has ended, so that a script can go on from there.
 * Gives `false` for any other path, which is then the function app's.
 */
export async function answerAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  app: FunctionApp,
  invoker: Invoker,
): Promise<boolean> {
  const found = /^\/admin\/functions(?:\/([^/]+))?\/?$/i.exec(target.path);
  if (found === null) return false;
  if (isFromAnotherOrigin(request)) {
    sendText(response, 403, notAnotherOrigin);
    return true;
  }
  const name = found[1];
  if (request.method === "GET" && name === undefined) {
    sendJson(
      response,
      namesOf(app).map((each) => ({ name: each })),
    );
    return true;
  }
  if (request.method === "POST" && name !== undefined) {
    send(response, { status: await runNow(name, await readBody(request), app, invoker) });
    return true;
  }
  return false;
}

async function runNow(
  name: string,
  body: Uint8Array | undefined,
  app: FunctionApp,
  invoker: Invoker,
): Promise<202 | 400 | 404> {
  const parsed = invocation.safeParse(readJson(body));
  if (!parsed.success) return 400;
  const run = invocationOf(name, parsed.data.input ?? "", app);
  if (run === undefined) return 404;
  try {
    await invoker.invoke(run);
  } catch (error) {
    logLine(`${name} failed: ${describeError(error)}`);
  }
  return 202;
}

function invocationOf(name: string, input: string, app: FunctionApp): Invocation | undefined {
  const named = (each: { name: string }) => each.name.toLowerCase() === name.toLowerCase();
  const timer = app.timer.find(named);
  if (timer !== undefined) return { ...timer, data: timerData(undefined, undefined) };
  // An HTTP function is handed the input where it expects a request, fails on it, and the answer is 202 all the same.
  const other = app.queue.find(named) ?? app.http.find(named);
  return other === undefined ? undefined : { ...other, data: { string: input } };
}

const namesOf = (app: FunctionApp): string[] =>
  [...app.http, ...app.queue, ...app.timer].map(({ name }) => name).toSorted();

function readJson(body: Uint8Array | undefined): unknown {
  if (body === undefined) return {};
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  const headers = { "content-type": "application/json; charset=utf-8" };
  send(response, { status: 200, headers, body: Buffer.from(JSON.stringify(value)) });
}
