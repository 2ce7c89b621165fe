import { app } from "@azure/functions";
import { run } from "../running.ts";

app.timer("forgetOld", {
  schedule: "0 20 3 * * *",
  handler: (_timer, context) => run((opened) => opened.timers.forgetOld(), context),
});
