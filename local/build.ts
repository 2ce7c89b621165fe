import { join } from "node:path";
import { buildArtifact } from "./artifact.ts";
import { projectDirectory } from "./settings.ts";

/** `npm run build`: `dist/main.cjs`, its parts, and their source maps. */
await buildArtifact(join(projectDirectory, "dist"));
