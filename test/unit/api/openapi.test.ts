import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openApiDocument } from "../../../shared/api/openapi.ts";
import type { Route } from "../../../shared/api/route.ts";
import { routes } from "../../../shared/api/routes.ts";
import { statusOf } from "../../../shared/api/status.ts";
import { errorCodes } from "../../../shared/errors.ts";

describe("the OpenAPI document", () => {
  const document = openApiDocument();
  const schemaCodes = z.object({
    properties: z.object({
      error: z.object({ properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }) }),
    }),
  });
  const followed = ({ $ref }: { $ref: string }) =>
    $ref
      .split("/")
      .slice(1)
      .reduce((at: unknown, key) => Object(at)[key], document);
  const codesOf = (response: { $ref: string }): string[] =>
    schemaCodes.parse(followed(Object(followed(response)).content["application/json"].schema)).properties.error
      .properties.code.enum;
  const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path ?? {}));

  it("is kept in docs/openapi.json (npm run docs writes it)", () => {
    const kept = readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8");
    expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it("is OpenAPI 3.1 and has every route of the contract once", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(operations.map((operation) => operation.operationId).sort()).toEqual(Object.keys(routes).sort());
  });

  it("names each operation Resource_Action, with a security requirement and a default error", () => {
    for (const operation of operations) {
      expect(operation.operationId).toMatch(/^[A-Z]\w+_[A-Z]\w+$/);
      expect(operation.security?.length).toBeGreaterThan(0);
      expect(operation.responses.default).toEqual({ $ref: "#/components/responses/Refusal" });
    }
  });

  it("lists the code of every refusal under the status that it is answered with, in every operation", () => {
    const listed = new Set<string>();
    for (const { operationId, responses } of operations) {
      for (const status of Object.keys(responses).filter((each) => Number(each) >= 400)) {
        const codes = codesOf(responses[status]);
        expect(codes, `${operationId} ${status}`).toEqual(
          errorCodes.filter((code) => statusOf[code] === Number(status)),
        );
        for (const code of codes) listed.add(code);
      }
    }
    expect([...listed].sort()).toEqual([...errorCodes].sort());
  });

  it("lists 412 for each PUT, and no credential's refusals where none is needed", () => {
    for (const { operationId, verb, who } of Object.values<Route>(routes)) {
      const responses = operations.find((each) => each.operationId === operationId)?.responses;
      expect("412" in responses, operationId).toBe(verb === "PUT");
      for (const status of ["401", "403"]) expect(status in responses, operationId).toBe(who !== "anyone");
    }
  });

  it("says that top is a number, that a PUT may be conditional, and that every request may bring an id", () => {
    for (const operation of operations) {
      const parameters = new Map<string, { schema: unknown }>(
        operation.parameters.map((each: { $ref?: string; name: string }) => {
          const found = Object(document.components?.parameters)[each.$ref?.split("/").at(-1) ?? ""] ?? each;
          return [found.name, found];
        }),
      );
      expect(parameters.has("x-ms-client-request-id")).toBe(true);
      expect(parameters.has("top")).toBe(parameters.has("skipToken"));
      if (parameters.has("top"))
        expect(parameters.get("top")?.schema).toEqual({ type: "integer", minimum: 1, maximum: 1000 });
    }
    const puts = Object.values(document.paths ?? {}).flatMap((path) => path?.put ?? []);
    expect(puts.length).toBeGreaterThan(3);
    for (const put of puts) expect(put.parameters).toContainEqual({ $ref: "#/components/parameters/IfMatch" });
  });

  it("lists both media types of the retention report", () => {
    const { content } = document.paths?.["/compliance/retention"]?.get?.responses?.[200] ?? {};
    expect(Object.keys(content)).toEqual(["application/json", "text/csv"]);
  });

  it("agrees with the key that each route stands under", () => {
    for (const [key, route] of Object.entries(routes)) expect(route.operationId).toBe(key);
  });
});
