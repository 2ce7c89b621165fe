import type { Clock } from "../needs.ts";

/** When something was by the clock of retention, that storage says was at `real`. */
export const inServiceTime = (clock: Clock, real: Date): Date =>
  new Date(real.getTime() + clock.now().getTime() - clock.real().getTime());
