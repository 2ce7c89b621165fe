import * as z from "zod";
import { guid } from "../primitives.ts";
import { noBody, route } from "../route.ts";
import { nothing, plain } from "./common.ts";

/** People, who are subject ids everywhere but in one directory. */

export const peopleRoutes = {
  People_Forget: route({
    ...plain,
    verb: "POST",
    statuses: [204],
    operationId: "People_Forget",
    path: "/people/{subjectId}:forget",
    who: ["R"],
    summary: "Forgets whom a subject id stands for, and what the person wrote.",
    params: z.object({ subjectId: guid.brand<"SubjectId">() }),
    query: nothing,
    body: noBody,
    result: undefined,
  }),
};
