import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { packDeployable } from "./deployable.ts";
import { projectDirectory } from "./settings.ts";

/** `npm run package`: `dist/stamp-intake.zip`, which azd or `az functionapp deployment source config-zip` takes, and its bill of materials. */

const made = await packDeployable(join(projectDirectory, "dist"));
const content = await readFile(made.zip);
const sha256 = createHash("sha256").update(content).digest("hex");
console.log(`${relative(process.cwd(), made.zip)}  ${content.length} bytes  sha256 ${sha256}`);
console.log(relative(process.cwd(), made.bom));
