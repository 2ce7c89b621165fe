import { join } from "node:path";
import { buildArtifact } from "./artifact.ts";
import { projectDirectory } from "./settings.ts";

/** `npm run build`: `dist/main.cjs` and its source map. */
await buildArtifact(join(projectDirectory, "dist"));
