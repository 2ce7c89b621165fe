import { registerTimer } from "../register.ts";

registerTimer({ name: "purgeDue", app: "access", schedule: "0 */10 * * * *" }, (opened) => opened.timers.purgeDue());
