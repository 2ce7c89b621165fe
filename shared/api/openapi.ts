import * as z from "zod";
import { type CreateDocumentOptions, createDocument } from "zod-openapi";
import { answerHeaders, requestHeaders } from "./headers.ts";
import { bundleManifest } from "./manifest.ts";
import { refusalsOf } from "./refusals.ts";
import { apiVersion, type Permission, type Route, takesBody } from "./route.ts";
import { routes } from "./routes.ts";

/** The OpenAPI 3.1 document, made from the same routes and schemas that the service runs on. */

const apiVersionParameter = z.literal(apiVersion).meta({ param: { id: "ApiVersion" } });

const description = `The cloud side of Azure Stack Hub diagnostic log collection.

Checks come in this order: length and size, path, \`api-version\`, credential with digest, role, query, media type and body, existence, state.

Where \`api-version\` is required, a query parameter that the operation does not list is 400 \`InvalidParameter\`, with its name as \`target\`; so is one that is given twice. Operations without a credential ignore those they do not know. A \`Content-Encoding\` other than \`identity\` is 415 \`UnsupportedMediaType\`.

Each code of a refusal stands under the status that it is answered with. More codes may come: treat one that you do not know by its status.`;

const signatureDescription = `RFC 9421 HTTP Message Signature by a registered key of the stamp in the path. It covers "@method" and "@target-uri", with a body also "content-digest" and "content-type", and "if-match" and "if-none-match" where they are sent; more may be covered, without component parameters. Its parameters are created, expires (at most 300 seconds later), nonce, keyid and tag="stamp-intake". Signature-Input has at most 2048 characters, Signature 512, and each covered field 2048.`;

/** App roles by their letter in the contract. */
const roleNames = {
  R: "Registration.Manage",
  C: "Cases.Sync",
  E: "Support.Engineer",
  A: "Compliance.Audit",
} as const;

const statusText = { 200: "Done.", 201: "Created.", 202: "Begun; it goes on by itself.", 204: "Gone." } as const;

type Document = ReturnType<typeof createDocument>;
let made: Document | undefined;

/** The same object each time. */
export function openApiDocument(): Document {
  made ??= createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "Stamp Intake",
        version: apiVersion,
        description,
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      paths: pathsOf(Object.values(routes)),
      components: {
        schemas: { BundleManifest: bundleManifest },
        securitySchemes: {
          stampSignature: {
            type: "apiKey",
            in: "header",
            name: "Signature",
            description: signatureDescription,
          },
          bundleManifest: {
            type: "http",
            scheme: "Manifest",
            description:
              "The manifest of the bundle in the path: a compact JWS, typ bundle-manifest+jwt, by a key that the stamp had when it signed; its payload is the schema BundleManifest.",
          },
          bearer: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "Entra ID access token with one app role.",
          },
        },
      },
    },
    { override: leaveAnswersOpen },
  );
  return made;
}

/** Fields may be added to an answer at any time, and a client made from the document has to bear it. What is strict by itself, as a key, stays so. */
const leaveAnswersOpen: NonNullable<CreateDocumentOptions["override"]> = ({ zodSchema, jsonSchema, io }) => {
  const { def } = zodSchema._zod;
  if (io === "output" && def.type === "object" && def.catchall === undefined) delete jsonSchema.additionalProperties;
};

type Paths = NonNullable<Parameters<typeof createDocument>[0]["paths"]>;
type Operation = NonNullable<NonNullable<Paths[string]>["get"]>;

function pathsOf(all: readonly Route[]): Paths {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of all) {
    paths[route.path] = { ...paths[route.path], [route.verb.toLowerCase()]: operationOf(route) };
  }
  return paths;
}

function operationOf(route: Route): Operation {
  const [resource = "Service"] = route.operationId.split("_");
  return {
    operationId: route.operationId,
    tags: [resource],
    summary: route.summary,
    security: securityOf(route),
    requestParams: {
      ...partOf("path", route.params),
      ...queryOf(route),
      header: z.object({
        ...(route.verb === "PUT" ? { "If-Match": requestHeaders.ifMatch } : {}),
        ...(hasEtag(route) ? { "If-None-Match": requestHeaders.ifNoneMatch } : {}),
        "x-ms-client-request-id": requestHeaders.clientRequestId,
      }),
    },
    ...(takesBody(route)
      ? { requestBody: { required: true, content: { "application/json": { schema: route.body } } } }
      : {}),
    responses: {
      ...Object.fromEntries(route.statuses.map((status) => [status, responseOf(route, status)])),
      ...(route.verb === "GET" && hasEtag(route)
        ? { 304: { description: "The reader has it already.", headers: answerHeaders.resource } }
        : {}),
      ...refusalsOf(route),
    },
  };
}

/** Any one of them suffices; an empty requirement is open to anyone. */
function securityOf({ who }: Route): Record<string, string[]>[] {
  if (who === "anyone") return [{}];
  return who.map(requirementOf);
}

function requirementOf(permission: Permission): Record<string, string[]> {
  if (permission === "stamp") return { stampSignature: [] };
  return permission === "manifest" ? { bundleManifest: [] } : { bearer: [roleNames[permission]] };
}

const isObject = (schema: z.ZodType): schema is z.ZodObject => schema instanceof z.ZodObject;

const partOf = (part: "path", schema: z.ZodType) =>
  isObject(schema) && Object.keys(schema.shape).length > 0 ? { [part]: schema } : {};

function queryOf(route: Route) {
  const own = isObject(route.query) ? route.query.shape : {};
  const shape = route.who === "anyone" ? own : { "api-version": apiVersionParameter, ...own };
  return Object.keys(shape).length > 0 ? { query: z.object(shape) } : {};
}

/** Whether the answer names a version of a resource: a page of a list does not, and an action's may be none. */
const hasEtag = ({ verb, query }: Route): boolean =>
  verb === "PUT" || (verb === "GET" && !(isObject(query) && "top" in query.shape));

function responseOf(route: Route, status: 200 | 201 | 202 | 204) {
  const description = statusText[status];
  const headers = answerHeaders[status === 202 ? "begun" : hasEtag(route) ? "resource" : "plain"];
  if (route.result === undefined || status === 204) return { description, headers };
  const mediaType = route.result instanceof z.ZodString ? "text/plain" : "application/json";
  const csv = route.alsoCsv ? { "text/csv": { schema: z.string() } } : {};
  return { description, headers, content: { [mediaType]: { schema: route.result }, ...csv } };
}
