import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("reconcile", {
  schedule: "0 35 * * * *",
  handler: (_timer, context) => run((opened) => opened.timers.reconcile(), context),
});
