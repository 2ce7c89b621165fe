import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("purgeDue", {
  schedule: "0 */10 * * * *",
  handler: (_timer, context) => run((opened) => opened.timers.purgeDue(), context),
});
