import { app } from "@azure/functions";
import { run } from "../running.ts";

const connection = "StateStorage";

app.storageQueue("verifyBundle", {
  queueName: "verify",
  connection,
  handler: (message, context) => run((opened) => opened.queues.verify(message), context),
});

app.storageQueue("verifyBundlePoisoned", {
  queueName: "verify-poison",
  connection,
  handler: (message, context) => run((opened) => opened.queues.verifyPoisoned(message), context),
});
