import { closeDropBox } from "../../operations/dropBoxes/closeDropBox.ts";
import { cancelArrivalErasure, eraseArrival, readArrivalErasure } from "../../operations/dropBoxes/eraseArrival.ts";
import { openDropBox } from "../../operations/dropBoxes/openDropBox.ts";
import { listDropBoxes, readDropBox } from "../../operations/dropBoxes/readDropBoxes.ts";
import type { World } from "../../operations/needs.ts";
import { page, putResult, resource } from "../answer.ts";
import { erasedResult, erasureResult } from "./bundles.ts";
import { asToken, type HandlersFor, known, pageOf } from "./handler.ts";

export const dropBoxHandlers = (world: World): HandlersFor<"DropBoxes"> => ({
  DropBoxes_List: async (call) =>
    page(await listDropBoxes(world, known(call.caller), call.params.caseNumber, pageOf(call))),
  DropBoxes_Get: async ({ caller, params }) => resource(await readDropBox(world, known(caller), params)),
  DropBoxes_Put: async ({ caller, params, body, condition }) => {
    const { dropBox, created } = await openDropBox(world, asToken(caller), params, body, condition);
    return putResult(dropBox, created);
  },
  DropBoxes_Close: async ({ caller, params }) => resource(await closeDropBox(world, asToken(caller), params)),
  DropBoxes_EraseBundle: async ({ caller, params, body }) =>
    erasedResult(
      world,
      await eraseArrival(world, asToken(caller), params, body),
      `/cases/${params.caseNumber}/dropBoxes/${params.dropBoxId}/bundles/${params.bundleId}/erasure`,
    ),
  DropBoxes_GetErasure: async ({ caller, params }) =>
    erasureResult(world, await readArrivalErasure(world, known(caller), params)),
  DropBoxes_CancelErase: async ({ caller, params, body }) =>
    resource(await cancelArrivalErasure(world, asToken(caller), params, body)),
});
