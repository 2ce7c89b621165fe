import { blobAccount } from "./system/storage.ts";

/** A storage URL that was issued before a restart, at the port where storage answers now: its signature holds for either. */
export async function present(directory: string, issued: string): Promise<string> {
  const url = new URL(issued);
  url.host = new URL((await blobAccount(directory)).url).host;
  return url.href;
}
