import { registerTimer } from "../register.ts";

registerTimer({ name: "foldLedger", app: "access", schedule: "10 * * * * *" }, (opened) => opened.timers.foldLedger());
