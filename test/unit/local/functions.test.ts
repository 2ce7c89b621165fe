import { expect, test } from "vitest";
import type { Registration } from "../../../local/functionsCore.ts";
import { readFunctionApp } from "../../../local/host/functions.ts";

const registration = (name: string, trigger: Record<string, unknown> & { type: string }): Registration => ({
  name,
  bindings: { trigger: { direction: "in", ...trigger } },
  callback: () => undefined,
});
const http = (name: string, route?: string) =>
  registration(name, { type: "httpTrigger", methods: ["get"], ...(route === undefined ? {} : { route }) });
const read = (registrations: Registration[], routePrefix = "", environment = {}) =>
  readFunctionApp(registrations, { routePrefix, environment });

test("functions stand in the order of their names, case ignored, `_` after the letters", () => {
  const names = ["b", "A_", "Ab", "a", "Z"];
  const app = read(names.map((name) => http(name)));
  expect(app.http.map(({ name }) => name)).toEqual(["a", "Ab", "A_", "b", "Z"]);
});

test("the route is the function's name where none is given, under the prefix of host.json", () => {
  const [health] = read([http("health")], "api").http;
  expect(health?.route.match("/api/Health")).toEqual({});
  expect(health?.methods).toEqual(["GET"]);
});

test.each(["admin", "admin/things", "/ADMIN/x", "administrators"])("refuses the route %s", (route) => {
  expect(() => read([http("f", route)])).toThrow(
    'Function "f": the specified route conflicts with one or more built in routes.',
  );
});

test("a route with a prefix before `admin` is refused too", () => {
  expect(() => read([http("f", "admin")], "api")).toThrow("built in routes");
});

test("a function that a setting disables keeps its place, and is told from the others", () => {
  const environment = { "AzureWebJobs.a_b.Disabled": "true", "AzureWebJobs.c.Disabled": "false" };
  const app = read([http("a_b"), http("c"), http("d")], "", environment);
  expect(app.http.map(({ name, disabled }) => [name, disabled])).toEqual([
    ["a_b", true],
    ["c", false],
    ["d", false],
  ]);
});

test("settings between percent signs are looked up", () => {
  const queue = registration("q", { type: "queueTrigger", queueName: "x-%NAME%", connection: "Storage" });
  const timer = registration("t", { type: "timerTrigger", schedule: "%WHEN%" });
  const app = read([queue, timer], "", { NAME: "verify", WHEN: "0 0 * * * *" });
  expect(app.queue[0]?.queueName).toBe("x-verify");
  expect(app.timer[0]?.schedule).toBe("0 0 * * * *");
  expect(() => read([timer])).toThrow('Function "t": the setting WHEN is not set.');
});

test("what the embedded host cannot run is refused by name", () => {
  expect(() => read([registration("b", { type: "blobTrigger" })])).toThrow(
    'Function "b": the embedded host has no trigger',
  );
  expect(() => read([{ ...http("r"), retryOptions: {} }])).toThrow(
    'Function "r": the embedded host has no retry policies',
  );
});
