import { registerQueue } from "../register.ts";

registerQueue({ name: "noteArrival", app: "intake", queueName: "arrivals" }, (opened, message) =>
  opened.queues.arrivals(message),
);
