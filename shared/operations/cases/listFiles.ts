import type { BundleFile } from "../../api/files.ts";
import { type GrantId, grantId, toUtcTime } from "../../api/primitives.ts";
import { deflated, stored } from "../../archive/entry.ts";
import type { ListedFile } from "../../domain/inventory.ts";
import { lendsRole } from "../../domain/roles.ts";
import { isPast, linesFrom, NoLine, offsetBefore } from "../bundles/findFile.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { TokenCaller } from "../caller.ts";
import type { Place, World } from "../needs.ts";
import { noSuchPage, type PageRequest, type PageResult } from "../paging.ts";
import { type AtBundle, requireGrants, underOneOf } from "./callersGrants.ts";
import { recordListing } from "./recordListing.ts";

/** Bytes that a line mostly has at the most: a page is read at once. */
const lineBytes = 512;
const leastPageBytes = 64 * 1024;

/** Under a grant of some roles most lines may be of others: bytes that are read at once, and looked at for one page. */
const bytesAtOnce = 1024 * 1024;
const mostBytesLookedAt = 4 * bytesAtOnce;

type Asked = { readonly prefix?: string | undefined; readonly grantId?: GrantId | undefined };

/** What is in a bundle of the case, in the order of the paths, to an engineer with an active grant of it: of a grant of some roles, their files. */
export async function listFiles(
  world: Pick<World, "cases" | "stamps" | "contents" | "clock">,
  caller: TokenCaller,
  at: AtBundle,
  page: PageRequest,
  { prefix = "", grantId }: Asked,
): Promise<PageResult<BundleFile>> {
  const after = page.after === undefined ? undefined : placeIn(page.after);
  const lending = await requireGrants(world, caller, at, grantId ?? after?.grantId);
  const { record } = lending;
  const { bundle, grant } = await underOneOf(lending, async (grant) => ({
    grant,
    bundle: await recordListing(world, caller, { record, grant, ...at }),
  }));
  const place = placeOf(bundle);
  const start = after?.offset ?? (await startOf(world, place, prefix));
  try {
    const { value, next } = await readPage(world, place, { start, top: page.top, prefix, roles: grant.roles });
    return { value, next: next === undefined ? undefined : `${next}!${grant.grantId}` };
  } catch (error) {
    throw error instanceof NoLine ? noSuchPage(error) : error;
  }
}

type Wanted = {
  readonly start: number;
  readonly top: number;
  readonly prefix: string;
  readonly roles: readonly string[] | undefined;
};

/** A page may be short, even empty, and still have a next one where few of the lines are of the roles. */
async function readPage(
  world: Pick<World, "contents">,
  place: Place,
  { start, top, prefix, roles }: Wanted,
): Promise<{ value: BundleFile[]; next: number | undefined }> {
  const value: BundleFile[] = [];
  const atOnce = roles === undefined ? Math.max(leastPageBytes, top * lineBytes) : bytesAtOnce;
  let next = start;
  for await (const line of linesFrom(world, place, start, atOnce)) {
    const { file } = line;
    if (isPast(file.path, prefix)) break;
    if (file.path.startsWith(prefix) && lendsRole(roles, file.role)) {
      if (value.length === top) return { value, next };
      value.push(fileView(file));
    }
    next = line.next;
    if (roles !== undefined && next - start > mostBytesLookedAt) return { value, next };
  }
  return { value, next: undefined };
}

/** The place of a page is the byte offset of its first line, and the grant of the pages before it. */
function placeIn(place: string): { readonly offset: number; readonly grantId: GrantId | undefined } {
  const [, offset, named] = /^(\d{1,9})(?:!([0-9a-f-]{36}))?$/.exec(place) ?? [];
  const grant = grantId.optional().safeParse(named);
  if (offset === undefined || !grant.success) throw noSuchPage();
  return { offset: Number(offset), grantId: grant.data };
}

async function startOf(world: Pick<World, "contents">, place: Place, prefix: string): Promise<number> {
  if (prefix === "") return 0;
  const inventory = await world.contents.inventory(place);
  return inventory === undefined ? 0 : offsetBefore(inventory, prefix);
}

const methods = new Map<number, BundleFile["method"]>([
  [stored, "stored"],
  [deflated, "deflated"],
]);

const fileView = ({
  path,
  sizeBytes,
  compressedBytes,
  modifiedOn,
  method,
  role,
  isEncrypted,
}: ListedFile): BundleFile => ({
  path,
  sizeBytes,
  compressedBytes,
  ...(modifiedOn === undefined ? {} : { modifiedOn: toUtcTime(new Date(modifiedOn)) }),
  method: methods.get(method) ?? "other",
  ...(role === undefined ? {} : { role }),
  ...(isEncrypted === undefined ? {} : { isEncrypted }),
});
