/** The reference stamp client as a library: `connect`, `stampApi`, `sendBundle`. */
export type { BundleDescription } from "./begin.ts";
export { FileChangedError, isRefused, LineError, RefusedError, UnreachableError } from "./errors.ts";
export { asCarrier, importApi, importSaved, NotTheSavedFileError } from "./importing.ts";
export { generateKey, keyIdOf, type PrivateJwk, type PublicJwk, publicHalf, signingKey } from "./keys.ts";
export { type RateLimiter, rateLimiter } from "./rateLimit.ts";
export { type UploadMemory, uploadMemory } from "./resume.ts";
export { interactive, patient, type RetryNotice, type RetryPolicy } from "./retry.ts";
export { readFolder, type SavedBundle } from "./saved.ts";
export { DiskFullError, type SavedDescription, saveBundle } from "./saving.ts";
export { type SendOptions, type SendProgress, type SentBundle, sendBundle } from "./send.ts";
export { asAnyone, asBearer, asStamp, type Credential, call, connect, listed, type Service } from "./service.ts";
export { currentTerms, register, type StampApi, stampApi } from "./stamp.ts";
export { type Exchange, type LineOptions, openLine } from "./transport.ts";
export { awaitVerdict, type VerdictOptions } from "./verdict.ts";
