import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("sealCheckpoint", {
  schedule: "0 5 0 * * *",
  handler: (_timer, context) => run((opened) => opened.timers.sealCheckpoint(), context),
});
