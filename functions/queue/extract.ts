import { app } from "@azure/functions";
import { run } from "../running.ts";

app.storageQueue("extractFile", {
  queueName: "extract",
  connection: "StateStorage",
  handler: (message, context) => run((opened) => opened.queues.extract(message), context),
});
