import { registerTimer } from "../register.ts";

registerTimer({ name: "forgetOld", app: "access", schedule: "0 20 3 * * *" }, (opened) => opened.timers.forgetOld());
