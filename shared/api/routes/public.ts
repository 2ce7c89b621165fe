import * as z from "zod";
import { termsList, termsVersion } from "../consents.ts";
import { route } from "../route.ts";
import { get, nothing, plain } from "./common.ts";

/** What anyone may read. */

export const publicRoutes = {
  Service_GetHealth: route({
    ...get,
    ...plain,
    operationId: "Service_GetHealth",
    path: "/health",
    who: "anyone",
    summary: "Whether the service answers.",
    params: nothing,
    result: z.object({ status: z.literal("ok") }),
  }),
  Service_GetOpenApi: route({
    ...get,
    ...plain,
    operationId: "Service_GetOpenApi",
    path: "/openapi.json",
    who: "anyone",
    summary: "This document.",
    params: nothing,
    result: z.record(z.string(), z.unknown()),
  }),
  Service_GetKeys: route({
    ...get,
    ...plain,
    operationId: "Service_GetKeys",
    path: "/.well-known/jwks.json",
    who: "anyone",
    summary: "The keys that sign receipts, checkpoints and certificates.",
    params: nothing,
    result: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  }),
  Terms_List: route({
    ...get,
    ...plain,
    operationId: "Terms_List",
    path: "/terms",
    who: "anyone",
    summary: "The versions of the consent terms.",
    params: nothing,
    result: termsList,
  }),
  Terms_Get: route({
    ...get,
    ...plain,
    operationId: "Terms_Get",
    path: "/terms/{version}",
    who: "anyone",
    summary: "The text of one version, the bytes that its hash is of.",
    params: z.object({ version: termsVersion }),
    result: z.string(),
  }),
};
