import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";

/**
 * A function app for the tests of the embedded host: what each function does is what one test asks about. What ran, and whether
 * work in progress may go on, is asked and told over HTTP, so the same app serves in this process and in another.
 */

type Run = { readonly functionName: string; readonly input: unknown; readonly dequeueCount?: unknown };
const runs: Run[] = [];
const released = new Set<string>();

async function untilReleased(key: string): Promise<void> {
  while (!released.has(key)) await sleep(10);
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const get = (name: string, route: string, handler: (request: HttpRequest) => Promise<HttpResponseInit>): void =>
  app.http(name, { methods: ["GET"], route, authLevel: "anonymous", handler });
const saying = (text: string) => async (): Promise<HttpResponseInit> => ({ body: text });

async function describeRequest(request: HttpRequest): Promise<HttpResponseInit> {
  const bytes = await request.arrayBuffer();
  return {
    jsonBody: {
      class: request.constructor.name,
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      params: request.params,
      headers: Object.fromEntries(request.headers),
      bodyBytes: bytes.byteLength,
    },
  };
}

app.http("Echo", {
  methods: ["GET", "POST", "PUT"],
  route: "echo/{*rest}",
  authLevel: "anonymous",
  handler: describeRequest,
});

// Of two routes that fit, the first by function name is taken, whatever the order of registration.
get("Shadow_B_Literal", "shadow/literal", saying("literal"));
get("Shadow_A_Parameter", "shadow/{name}", saying("parameter"));
// Case does not count in that order, and `_` comes after the letters.
get("order_b", "order/{x}", saying("order_b"));
get("Order_A", "order/{y}", saying("Order_A"));
get("Underscore_", "underscore/{x}", saying("Underscore_"));
get("Underscorex", "underscore/{y}", saying("Underscorex"));

get("Items_Get", "items/{itemId}", async ({ params }) => ({ jsonBody: params }));
app.post("Items_Disable", {
  route: "items/{itemId}:disable",
  authLevel: "anonymous",
  handler: async ({ params }) => ({ jsonBody: params }),
});
get("WellKnown", ".well-known/jwks.json", saying("keys"));

get("Throws", "throws", async () => {
  throw new Error("a detail that no client may see");
});
get("BadReturn", "bad-return", async () => JSON.parse('"not a response"'));
get("ReturnsNull", "returns-null", async () => JSON.parse("null"));
get("ReturnsUndefined", "returns-undefined", async () => JSON.parse("[]")[0]);
get("NonAscii", "non-ascii", async () => ({ headers: { "x-name": "é" }, body: "text" }));
get("Teapot", "teapot", async () => ({ status: 418, headers: { "x-kind": "pot" }, body: "short and stout" }));
get("Rejects", "rejects", async () => {
  void Promise.reject(new Error("nobody awaits this"));
  return { body: "answered" };
});
get("Hangs", "hangs/{key}", async ({ params }) => {
  runs.push({ functionName: "Hangs", input: params.key });
  await untilReleased(params.key ?? "");
  return { body: "let go" };
});

// Held until a file of that name is in `LOCAL_DIR`: so it can be let go also once the port is closed.
get("Held", "held/{file}", async ({ params }) => {
  runs.push({ functionName: "Held", input: params.file });
  const file = join(process.env.LOCAL_DIR ?? "", params.file ?? "");
  while (!(await isThere(file))) await sleep(10);
  return { body: "in its own time" };
});

get("Runs", "runs", async () => ({ jsonBody: runs }));
app.post("Release", {
  route: "release/{key}",
  authLevel: "anonymous",
  handler: async ({ params }) => {
    released.add(params.key ?? "");
    return { status: 204 };
  },
});
get("Settings", "settings/{name}", async ({ params }) => ({ jsonBody: process.env[params.name ?? ""] ?? null }));

app.storageQueue("Messages", {
  queueName: "%HOST_TEST_QUEUE%",
  connection: "StateStorage",
  handler: async (message, context) => {
    runs.push({ functionName: "Messages", input: message, dequeueCount: context.triggerMetadata?.dequeueCount });
    const text = typeof message === "string" ? message : JSON.stringify(message);
    if (text.includes("fail")) throw new Error("this message fails");
    const key = /hold-[\w-]+/.exec(text)?.[0];
    if (key !== undefined) await untilReleased(key);
  },
});

// Never due while a test runs: 29 February, and only if it is a Monday.
app.timer("LeapMonday", {
  schedule: "0 0 0 29 2 1",
  handler: async (timer) => {
    runs.push({ functionName: "LeapMonday", input: timer });
  },
});
app.timer("FailingTimer", {
  schedule: "0 0 0 29 2 1",
  handler: async () => {
    runs.push({ functionName: "FailingTimer", input: null });
    throw new Error("this timer fails");
  },
});
app.timer("EverySecond", {
  schedule: "* * * * * *",
  handler: async (timer) => {
    runs.push({ functionName: "EverySecond", input: timer });
  },
});

app.hook.appStart((context) => {
  runs.push({ functionName: "appStart", input: context.hookData });
});
app.hook.preInvocation((context) => {
  context.hookData.startedBy = "preInvocation";
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName !== "Teapot") return;
  const contextClass = context.invocationContext.constructor.name;
  runs.push({ functionName: "postInvocation", input: { ...context.hookData, class: contextClass } });
});
app.hook.appTerminate(async () => {
  await sleep(10);
  console.error("appTerminate has run");
});
