import { registerTimer } from "../register.ts";

registerTimer({ name: "sweepUnfinished", app: "access", schedule: "30 * * * * *" }, (opened) =>
  opened.timers.sweepUnfinished(),
);
