import { app } from "@azure/functions";
import type { App } from "../shared/app.ts";
import { type AppName, runsIn } from "../shared/apps.ts";
import { role } from "./role.ts";
import { run } from "./running.ts";

/** What a queue or a timer starts, registered in the app that it is said to run in. */

type Started = { readonly name: string; readonly app: AppName };

export function registerQueue(
  { name, app: place, queueName }: Started & { readonly queueName: string },
  work: (opened: App, message: unknown) => Promise<void>,
): void {
  if (!runsIn(role, place)) return;
  app.storageQueue(name, {
    queueName,
    connection: "StateStorage",
    handler: (message, context) => run((opened) => work(opened, message), context),
  });
}

export function registerTimer(
  { name, app: place, schedule }: Started & { readonly schedule: string },
  work: (opened: App) => Promise<void>,
): void {
  if (!runsIn(role, place)) return;
  app.timer(name, { schedule, handler: (_timer, context) => run(work, context) });
}
