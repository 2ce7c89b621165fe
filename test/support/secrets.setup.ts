import { subscribe } from "node:diagnostics_channel";
import { afterAll } from "vitest";
import { z } from "zod";
import { takeFound, watch } from "./secrets/watch.ts";

/**
 * Runs with every test file: each line that the service logs in this process comes by here, whichever sink it goes to, and what services of a process
 * of their own print is handed over by the harness. A file whose run logged a secret fails.
 */
const logged = z.object({ line: z.string() });

subscribe("stamp-intake:log", (message) => watch("log", logged.parse(message).line));

afterAll(() => {
  const found = takeFound();
  if (found.length > 0) throw new Error(`[invariant 9] secrets in log lines:\n${found.join("\n")}`);
});
