import { registerTimer } from "../register.ts";

registerTimer({ name: "sealCheckpoint", app: "access", schedule: "0 5 0 * * *" }, (opened) =>
  opened.timers.sealCheckpoint(),
);
