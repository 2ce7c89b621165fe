import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("sweepUnfinished", {
  schedule: "30 * * * * *",
  handler: (_timer, context) => run((opened) => opened.timers.sweepUnfinished(), context),
});
