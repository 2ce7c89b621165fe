import { z } from "zod";
import type { Registration } from "../functionsCore.ts";
import { parseRouteTemplate, type RouteTemplate } from "./routeTemplate.ts";

export type HttpFunction = Trigger & { readonly methods: readonly string[]; readonly route: RouteTemplate };
export type QueueFunction = Trigger & { readonly queueName: string; readonly connection: string };
export type TimerFunction = Trigger & { readonly schedule: string };
type Trigger = {
  readonly name: string;
  readonly triggerName: string;
  readonly registration: Registration;
  /** Nothing triggers it: its route answers an empty 404, its queue and its schedule are left alone. The admin endpoint runs it. */
  readonly disabled: boolean;
};

/** Every function of an app by its trigger, each list in the real host's order: by name, case ignored, ordinal. */
export type FunctionApp = {
  readonly http: readonly HttpFunction[];
  readonly queue: readonly QueueFunction[];
  readonly timer: readonly TimerFunction[];
};

type Environment = Readonly<Record<string, string | undefined>>;

const httpTrigger = z.object({ methods: z.array(z.string()), route: z.string().optional() });
const queueTrigger = z.object({ queueName: z.string(), connection: z.string() });
const timerTrigger = z.object({ schedule: z.string() });

/**
 * Sorts registrations by trigger and resolves `%setting%` in them from `environment`.
 * Throws an `Error` that names the function, for a route the real host refuses and for what the embedded host cannot run.
 */
export function readFunctionApp(
  registrations: readonly Registration[],
  options: { readonly routePrefix: string; readonly environment: Environment },
): FunctionApp {
  const app: { http: HttpFunction[]; queue: QueueFunction[]; timer: TimerFunction[] } = {
    http: [],
    queue: [],
    timer: [],
  };
  for (const registration of registrations.toSorted(byName)) {
    const { name, triggerName, binding } = triggerOf(registration);
    const common = { name, triggerName, registration, disabled: isDisabled(registration, options.environment) };
    const resolve = (text: string) => resolveSettings(text, options.environment, name);
    switch (binding.type.toLowerCase()) {
      case "httptrigger": {
        const { methods, route } = httpTrigger.parse(binding);
        const template = httpRoute(route ?? name, options.routePrefix, name);
        app.http.push({ ...common, methods: methods.map((method) => method.toUpperCase()), route: template });
        break;
      }
      case "queuetrigger": {
        const { queueName, connection } = queueTrigger.parse(binding);
        app.queue.push({ ...common, queueName: resolve(queueName), connection });
        break;
      }
      case "timertrigger":
        app.timer.push({ ...common, schedule: resolve(timerTrigger.parse(binding).schedule) });
        break;
      default:
        throw new Error(`Function "${name}": the embedded host has no trigger of type "${binding.type}".`);
    }
  }
  return app;
}

/** The platform's own switch for one function. */
const isDisabled = ({ name }: Registration, environment: Environment): boolean =>
  /^(true|1)$/i.test(environment[`AzureWebJobs.${name}.Disabled`] ?? "");

/** .NET's `OrdinalIgnoreCase` compares upper-cased code units: `_` comes after every letter. */
function byName(left: Registration, right: Registration): number {
  const [a, b] = [left.name.toUpperCase(), right.name.toUpperCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}

function triggerOf(registration: Registration) {
  const { name } = registration;
  if (registration.retryOptions !== undefined) {
    throw new Error(`Function "${name}": the embedded host has no retry policies.`);
  }
  const trigger = Object.entries(registration.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (trigger === undefined) throw new Error(`Function "${name}" has no trigger.`);
  return { name, triggerName: trigger[0], binding: trigger[1] };
}

/** The real host keeps every route that begins with `admin` for itself, `administrators` too, before the prefix is added. */
function httpRoute(route: string, routePrefix: string, name: string): RouteTemplate {
  if (route.replace(/^\//, "").toLowerCase().startsWith("admin")) {
    throw new Error(`Function "${name}": the specified route conflicts with one or more built in routes.`);
  }
  return parseRouteTemplate([routePrefix, route].filter((part) => part !== "").join("/"));
}

function resolveSettings(text: string, environment: Environment, name: string): string {
  return text.replace(/%([^%]+)%/g, (_, setting: string) => {
    const value = environment[setting];
    if (value === undefined) throw new Error(`Function "${name}": the setting ${setting} is not set.`);
    return value;
  });
}
