import { expect, test } from "vitest";
import { parseHostJson } from "../../../local/host/hostJson.ts";

test("an empty host.json has the real host's defaults", () => {
  expect(parseHostJson({ version: "2.0" }).extensions).toEqual({
    http: { routePrefix: "api" },
    queues: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxDequeueCount: 5,
      visibilityTimeout: 0,
      maxPollingInterval: 60_000,
      messageEncoding: "base64",
    },
  });
});

test("times are read into milliseconds", () => {
  const { queues } = parseHostJson({
    version: "2.0",
    extensions: { queues: { visibilityTimeout: "01:02:03" } },
  }).extensions;
  expect(queues.visibilityTimeout).toBe(3_723_000);
});

test.each([
  [{ version: "1.0" }, "version"],
  [{ version: "2.0", extensions: { queues: { batchSize: 33 } } }, "extensions.queues.batchSize"],
  [{ version: "2.0", extensions: { queues: { visibilityTimeout: "30" } } }, "extensions.queues.visibilityTimeout"],
])("%j is refused and names its fault", (content, fault) => {
  expect(() => parseHostJson(content)).toThrow(`host.json: ${fault}`);
});
