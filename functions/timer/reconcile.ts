import { registerTimer } from "../register.ts";

registerTimer({ name: "reconcile", app: "access", schedule: "0 35 * * * *" }, (opened) => opened.timers.reconcile());
