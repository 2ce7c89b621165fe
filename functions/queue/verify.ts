import { registerQueue } from "../register.ts";

registerQueue({ name: "verifyBundle", app: "intake", queueName: "verify" }, (opened, message) =>
  opened.queues.verify(message),
);
registerQueue({ name: "verifyBundlePoisoned", app: "intake", queueName: "verify-poison" }, (opened, message) =>
  opened.queues.verifyPoisoned(message),
);
