import type { RoleContent } from "../api/bundles.ts";
import { toUtcTime } from "../api/primitives.ts";
import type { ListedFile } from "../domain/inventory.ts";
import { roleOrder, shownRole } from "../domain/roles.ts";

type Sum = { files: number; bytes: number; first: string | undefined; last: string | undefined };

/** What a bundle holds of each published role: counts and times, and no name of the bundle's own. */
export class RoleContents {
  readonly #sums = new Map<string, Sum>();

  add({ role, sizeBytes, modifiedOn }: Pick<ListedFile, "role" | "sizeBytes" | "modifiedOn">): void {
    const shown = shownRole(role);
    const sum = this.#sums.get(shown) ?? { files: 0, bytes: 0, first: undefined, last: undefined };
    sum.files += 1;
    // A hostile directory may say more than a number holds.
    sum.bytes = Math.min(sum.bytes + sizeBytes, Number.MAX_SAFE_INTEGER);
    if (modifiedOn !== undefined) {
      if (sum.first === undefined || modifiedOn < sum.first) sum.first = modifiedOn;
      if (sum.last === undefined || modifiedOn > sum.last) sum.last = modifiedOn;
    }
    this.#sums.set(shown, sum);
  }

  inOrder(): RoleContent[] {
    return [...this.#sums]
      .sort(([one], [other]) => roleOrder(one) - roleOrder(other))
      .map(([role, { files, bytes, first, last }]) => ({
        role,
        files,
        bytes,
        ...(first === undefined ? {} : { firstOn: toUtcTime(new Date(first)) }),
        ...(last === undefined ? {} : { lastOn: toUtcTime(new Date(last)) }),
      }));
  }
}
