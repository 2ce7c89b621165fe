import { terms } from "../../../terms/index.ts";
import { DomainError } from "../../errors.ts";
import { plain } from "../answer.ts";
import type { HandlersFor } from "./handler.ts";

type PublicKeys = { readonly publicKeys: () => Promise<{ readonly keys: readonly object[] }> };

export const publicHandlers = (papers: PublicKeys): HandlersFor<"Service"> & HandlersFor<"Terms"> => ({
  Service_GetHealth: async () => plain({ status: "ok" }),
  Service_GetOpenApi: async () => plain((await import("../../api/openapi.ts")).openApiDocument()),
  Service_GetKeys: async () => plain(await papers.publicKeys()),
  Terms_List: async () => plain({ value: terms.map(({ version, sha256, current }) => ({ version, sha256, current })) }),
  Terms_Get: async ({ params }) => {
    const named = terms.find((each) => each.version === params.version);
    if (named === undefined)
      throw new DomainError("NotFound", "There are no terms of that version. GET /terms lists those there are.");
    return plain(named.text);
  },
});
