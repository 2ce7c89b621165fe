/** The client's version, as `package.json` has it; the service may ask for a newer one. */
export const clientVersion = "0.1.0";

/** Tells the service which client calls; others say something else, and are not asked for a version. */
export const userAgent = `stamp-intake-client/${clientVersion}`;
