import { readFileSync, writeFileSync } from "node:fs";
import { openApiDocument } from "../shared/api/openapi.ts";
import { withMatrix } from "../test/integration/authorization/table.ts";
import { configurationPage } from "./configuration.ts";
import { functionsFile } from "./functions.ts";

/** `npm run docs`: writes what is made from the code. A test finds each of them out of date. */

writeFileSync(fileOf("openapi.json"), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
writeFileSync(fileOf("authorization.md"), withMatrix(readFileSync(fileOf("authorization.md"), "utf8")));
writeFileSync(fileOf("configuration.md"), configurationPage());
writeFileSync(fileOf("../infra/functions.json"), await functionsFile());

function fileOf(name: string): URL {
  return new URL(name, import.meta.url);
}
