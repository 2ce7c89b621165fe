import { access, constants, opendir } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../failure.ts";

/** What a person typed counts from where they typed it, and npm moves to the project. */
export const typedPath = (path: string): string => resolve(process.env.INIT_CWD ?? ".", path);

/** The path of a folder whose files can be listed. Throws `UsageError`. */
export async function folderPath(folder: string): Promise<string> {
  const path = typedPath(folder);
  try {
    await (await opendir(path)).close();
    return path;
  } catch {
    throw new UsageError(
      `${path} is no folder that can be read: check the path, its permissions, and that it is mounted`,
    );
  }
}

/** The path of a file that can be read. Throws `UsageError`. */
export async function readablePath(file: string): Promise<string> {
  const path = typedPath(file);
  try {
    await access(path, constants.R_OK);
    return path;
  } catch {
    throw new UsageError(`${path} cannot be read: check the path and its permissions`);
  }
}
