import * as z from "zod";

/** The words that every shape of the contract is made of (`API.md`, the paragraphs before the table). */

/** A lower-case GUID; the case of a request is ignored. */
export const guid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, "must be a GUID")
  .toLowerCase()
  .meta({ format: "uuid", example: "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10" });

export const stampId = guid.brand<"StampId">();
export type StampId = z.infer<typeof stampId>;

/** Names a drop box in its own routes; it may equal a Cloud ID. */
export const dropBoxId = guid.brand<"DropBoxId">();
export type DropBoxId = z.infer<typeof dropBoxId>;

export const bundleId = guid.brand<"BundleId">();
export type BundleId = z.infer<typeof bundleId>;

export const grantId = guid.brand<"GrantId">();
export type GrantId = z.infer<typeof grantId>;

export const caseNumber = z
  .string()
  .regex(/^[0-9]{15,19}$/, "must be a string of 15 to 19 digits")
  .brand<"CaseNumber">()
  .meta({ example: "2211280040006230" });
export type CaseNumber = z.infer<typeof caseNumber>;

export const keyId = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 . _ -");

/** An RFC 3339 time in UTC, kept as it was sent. */
export const utcTime = z
  .string()
  .max(40)
  .regex(
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/,
    "must be an RFC 3339 time that ends in Z, such as 2026-11-01T12:00:00Z",
  )
  .refine(isRealTime, { error: "must be a time that exists", abort: true })
  .brand<"UtcTime">()
  .meta({ format: "date-time", example: "2026-11-01T12:00:00Z" });

export type UtcTime = z.infer<typeof utcTime>;

/** The instant as the contract writes it. */
export const toUtcTime = (instant: Date): UtcTime => utcTime.parse(instant.toISOString());

function isRealTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === text.slice(0, 19);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/;

/** A string that is well-formed, without control characters, and not empty. */
export const textUpTo = (characters: number) =>
  z
    .string()
    .min(1, "must not be empty")
    .max(characters, `must have at most ${characters.toLocaleString("en")} characters`)
    .refine((value) => value.isWellFormed(), { error: "must be well-formed Unicode" })
    .refine((value) => !controlCharacters.test(value), { error: "must not hold control characters" });

/** A string of people's text. */
export const text = textUpTo(1024);

export const sha256Hex = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, "must be a SHA-256 as 64 hexadecimal digits")
  .toLowerCase();

export const sizeBytes = z.int().min(0);

/** `1.<yymm>.<n>.<n>`, such as 1.2501.1.47 (`DOMAIN.md`, Shapes and sizes). */
export const stampVersion = z
  .string()
  .max(64)
  .regex(/^1\.\d{4}\.\d+\.\d+$/, "must be a stamp version such as 1.2501.1.47");

export const purpose = z.enum(["troubleshooting", "productHealth"]);
export type Purpose = z.infer<typeof purpose>;

/** Not empty, without repetition, and both where it is left out. */
export const purposes = z
  .array(purpose)
  .min(1, "must name at least one purpose")
  .max(2)
  .refine((list) => new Set(list).size === list.length, { error: "must not repeat a purpose" });

/** In the document a number: that is what the digits mean to whoever makes a client from it. */
function documentAsTop({ jsonSchema }: { readonly jsonSchema: object }): void {
  for (const name of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, name);
  Object.assign(jsonSchema, { type: "integer", minimum: 1, maximum: 1000 });
}

/** A page of a list (Azure REST API Guidelines, Collections). */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ value: z.array(item), nextLink: z.url().optional() });

/** Paging in the query of a list; `skipToken` is what a `nextLink` carries. */
export const pageQuery = {
  top: z
    .string()
    .regex(/^\d{1,4}$/, "must be a whole number from 1 to 1000")
    .meta({ override: documentAsTop })
    .transform(Number)
    .refine((count) => count >= 1 && count <= 1000, { error: "must be a whole number from 1 to 1000" })
    .optional(),
  skipToken: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,512}$/, "must be the token of a nextLink")
    .optional(),
};

export const list = <T extends z.ZodType>(item: T) => z.array(item).max(200, "must have at most 200 items");
