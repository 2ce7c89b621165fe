import { app } from "@azure/functions";
import { run } from "../running.ts";

const connection = "StateStorage";

app.storageQueue("extractFile", {
  queueName: "extract",
  connection,
  handler: (message, context) => run((opened) => opened.queues.extract(message), context),
});

app.storageQueue("extractFilePoisoned", {
  queueName: "extract-poison",
  connection,
  handler: (message, context) => run((opened) => opened.queues.extractPoisoned(message), context),
});
