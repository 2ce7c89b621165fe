import { expect } from "vitest";
import { z } from "zod";
import type { Answer, RawRequest } from "./http.ts";
import type { World } from "./world.ts";

/** The service's own OpenAPI document, as a judge of its requests and answers. */

const verbs = ["get", "put", "post", "delete", "patch", "head", "options", "trace"] as const;
const content = z.record(z.string(), z.looseObject({ schema: z.record(z.string(), z.unknown()) }));
const parameter = z.looseObject({
  name: z.string(),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean().optional(),
  schema: z.record(z.string(), z.unknown()),
});
const reference = z.strictObject({ $ref: z.string() });
const response = z.looseObject({ description: z.string().min(1), content: content.optional() });
export type Response = z.infer<typeof response>;
const operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(z.union([reference, parameter])).default([]),
  requestBody: z.looseObject({ required: z.boolean(), content }).optional(),
  responses: z.record(z.string(), z.union([reference, response])),
});
export type Operation = z.infer<typeof operation> & { readonly verb: string; readonly path: string };

const documentShape = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string().min(1), version: z.string() }),
  paths: z.record(z.string(), z.partialRecord(z.enum(verbs), operation)),
  components: z.looseObject({
    schemas: z.record(z.string(), z.record(z.string(), z.unknown())),
    parameters: z.record(z.string(), parameter).default({}),
    responses: z.record(z.string(), response).default({}),
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.string() })),
  }),
});

export type ApiDocument = {
  readonly raw: z.infer<typeof documentShape>;
  readonly text: string;
  readonly operations: readonly Operation[];
  /** The operation that a request is one of. */
  readonly find: (method: string, path: string) => Operation | undefined;
  /** All parameters of an operation, references followed. */
  readonly parametersOf: (operation: Operation) => readonly z.infer<typeof parameter>[];
  /** The answers of an operation by status, references followed. */
  readonly responsesOf: (operation: Operation) => ReadonlyMap<string, Response>;
  /** The codes that a refusal of this status may have. */
  readonly codesOf: (operation: Operation, status: number) => readonly string[];
  /** Fails where the answer is none that the document lists for the request. */
  readonly check: (request: Pick<RawRequest, "method" | "path">, answer: Answer) => void;
  /** Whether the document lets this body through. */
  readonly takes: (operation: Operation, body: unknown) => boolean;
};

export async function readDocument(world: World): Promise<ApiDocument> {
  const { text } = await world.send({ method: "GET", path: "/openapi.json" });
  const raw = documentShape.parse(JSON.parse(text));
  const operations = Object.entries(raw.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([verb, each]) => (each === undefined ? [] : [{ ...each, verb, path }])),
  );
  const schemaOf = compiled(raw.components.schemas);

  const find = (method: string, path: string) => {
    const [pathname = ""] = path.split("?");
    return operations.find((each) => each.verb === method.toLowerCase() && patternOf(each.path).test(pathname));
  };
  const responsesOf: ApiDocument["responsesOf"] = ({ responses }) =>
    new Map(
      Object.entries(responses).map(([status, each]) => {
        if (!("$ref" in each)) return [status, response.parse(each)];
        const name = /^#\/components\/responses\/(.+)$/.exec(String(each.$ref))?.[1] ?? "";
        return [status, response.parse(raw.components.responses[name])];
      }),
    );
  const codesOf: ApiDocument["codesOf"] = (operation, status) => {
    const reference = responsesOf(operation).get(String(status))?.content?.["application/json"]?.schema.$ref;
    const name = /^#\/components\/schemas\/(.+)$/.exec(String(reference))?.[1] ?? "";
    const refusal = refusalSchema.safeParse(raw.components.schemas[name]);
    return refusal.data?.properties.error.properties.code.enum ?? [];
  };
  const check: ApiDocument["check"] = ({ method, path }, answer) => {
    const found = find(method, path);
    if (found === undefined) throw new Error(`The document has no ${method} ${path}`);
    const listed = responsesOf(found).get(String(answer.status));
    expect(listed, `${found.operationId} answered ${answer.status}: ${answer.text.slice(0, 500)}`).toBeDefined();
    const [[mediaType, { schema }] = ["", { schema: undefined }]] = Object.entries(listed?.content ?? {});
    if (schema === undefined) return expect(answer.text).toBe("");
    expect(answer.headers["content-type"]).toContain(mediaType);
    const value: unknown = mediaType === "application/json" ? answer.json : answer.text;
    const judged = schemaOf(schema).safeParse(value);
    expect(judged.success ? [] : judged.error.issues, `${found.operationId}: ${answer.text.slice(0, 1000)}`).toEqual(
      [],
    );
  };
  return {
    raw,
    text,
    operations,
    find,
    parametersOf: ({ parameters }) =>
      parameters.map((each) => {
        if (!("$ref" in each)) return parameter.parse(each);
        const name = /^#\/components\/parameters\/(.+)$/.exec(String(each.$ref))?.[1] ?? "";
        return parameter.parse(raw.components.parameters[name]);
      }),
    responsesOf,
    codesOf,
    check,
    takes: ({ requestBody }, body) => {
      const schema = requestBody?.content["application/json"]?.schema;
      return schema === undefined ? body === undefined : schemaOf(schema).safeParse(body).success;
    },
  };
}

/** A refusal as the document has it: its codes are enumerated. */
const refusalSchema = z.looseObject({
  properties: z.looseObject({
    error: z.looseObject({
      properties: z.looseObject({ code: z.looseObject({ enum: z.array(z.string()).optional() }) }),
    }),
  }),
});

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/:]+")}/?$`, "i");

const listing = z.looseObject({ properties: z.record(z.string(), z.unknown()) });

/** The document leaves answers open, so that they can grow; what the service says today has to be in it. */
function closed(_key: string, value: unknown): unknown {
  const { success, data } = listing.safeParse(value);
  return success && data.additionalProperties === undefined ? { ...data, additionalProperties: false } : value;
}

/** Turns a schema of the document into one that judges, once each. */
function compiled(schemas: Readonly<Record<string, unknown>>): (schema: object) => z.ZodType {
  const made = new Map<string, z.ZodType>();
  return (schema) => {
    const key = JSON.stringify(schema);
    const known = made.get(key);
    if (known !== undefined) return known;
    const local = JSON.stringify({ ...schema, $defs: schemas }).replaceAll("#/components/schemas/", "#/$defs/");
    const judge = z.fromJSONSchema(JSON.parse(local, closed), { defaultTarget: "draft-2020-12" });
    made.set(key, judge);
    return judge;
  };
}
