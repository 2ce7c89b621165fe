import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("foldLedger", {
  schedule: "10 * * * * *",
  handler: (_timer, context) => run((opened) => opened.timers.foldLedger(), context),
});
