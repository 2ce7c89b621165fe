import { writeFileSync } from "node:fs";
import { openApiDocument } from "../shared/api/openapi.ts";

/** `npm run docs`: writes the documents that are made from the code. A test finds them out of date. */
writeFileSync(new URL("openapi.json", import.meta.url), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
