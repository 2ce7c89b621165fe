import { app } from "@azure/functions";
import { run } from "../running.ts";

app.storageQueue("noteArrival", {
  queueName: "arrivals",
  connection: "StateStorage",
  handler: (message, context) => run((opened) => opened.queues.arrivals(message), context),
});
