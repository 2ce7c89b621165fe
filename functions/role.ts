import { readRole } from "../shared/config.ts";

/** What this process registers: read as the files of this folder are loaded, before anything else is. */
export const role = readRole(process.env);
