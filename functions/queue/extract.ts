import { registerQueue } from "../register.ts";

// Files are taken out of bundles where people's requests for them are: intake lends nothing.
registerQueue({ name: "extractFile", app: "access", queueName: "extract" }, (opened, message) =>
  opened.queues.extract(message),
);
registerQueue({ name: "extractFilePoisoned", app: "access", queueName: "extract-poison" }, (opened, message) =>
  opened.queues.extractPoisoned(message),
);
