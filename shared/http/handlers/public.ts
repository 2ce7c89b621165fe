import { terms } from "../../../terms/index.ts";
import { DomainError } from "../../errors.ts";
import { resource, text } from "../answer.ts";
import type { HandlersFor } from "./handler.ts";

type PublicKeys = { readonly publicKeys: () => Promise<{ readonly keys: readonly object[] }> };

export const publicHandlers = (papers: PublicKeys): HandlersFor<"Service"> & HandlersFor<"Terms"> => ({
  Service_GetHealth: async () => resource({ status: "ok" }),
  Service_GetOpenApi: async () => resource((await import("../../api/openapi.ts")).openApiDocument()),
  Service_GetKeys: async () => resource(await papers.publicKeys()),
  Terms_List: async () =>
    resource({ value: terms.map(({ version, sha256, current }) => ({ version, sha256, current })) }),
  Terms_Get: async ({ params }) => {
    const named = terms.find((each) => each.version === params.version);
    if (named === undefined)
      throw new DomainError("NotFound", "There are no terms of that version. GET /terms lists those there are.");
    return text("text/plain; charset=utf-8", named.text);
  },
});
