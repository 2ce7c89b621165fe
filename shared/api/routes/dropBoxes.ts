import { bundle, erasure, erasureRequest } from "../bundles.ts";
import { dropBox, dropBoxRequest } from "../dropBoxes.ts";
import { bundleId, dropBoxId, pageOf } from "../primitives.ts";
import { noBody, route } from "../route.ts";
import { accepted, action, get, ofCase, page, plain, put } from "./common.ts";

/** Drop boxes of a case, for stamps that cannot send by themselves. */

const path = "/cases/{caseNumber}/dropBoxes/{dropBoxId}";
const ofDropBox = ofCase.extend({ dropBoxId });
const arrivalPath = `${path}/bundles/{bundleId}`;
const ofArrival = ofDropBox.extend({ bundleId });

export const dropBoxRoutes = {
  DropBoxes_List: route({
    ...get,
    operationId: "DropBoxes_List",
    path: "/cases/{caseNumber}/dropBoxes",
    who: ["C", "A", "E"],
    summary: "Lists a case's drop boxes.",
    params: ofCase,
    query: page,
    result: pageOf(dropBox),
  }),
  DropBoxes_Get: route({
    ...get,
    ...plain,
    operationId: "DropBoxes_Get",
    path,
    who: ["C", "A", "E"],
    summary: "Reads a drop box.",
    params: ofDropBox,
    result: dropBox,
  }),
  DropBoxes_Put: route({
    ...put,
    ...plain,
    operationId: "DropBoxes_Put",
    path,
    who: ["C", "E"],
    summary: "Opens a container for logs from the privileged endpoint and answers with its URL.",
    params: ofDropBox,
    body: dropBoxRequest,
    result: dropBox,
  }),
  DropBoxes_Close: route({
    ...action,
    ...plain,
    operationId: "DropBoxes_Close",
    path: `${path}:close`,
    who: ["C", "E"],
    summary: "Ends the writing; what arrived becomes bundles of the case.",
    params: ofDropBox,
    body: noBody,
    result: dropBox,
  }),
  DropBoxes_EraseBundle: route({
    ...accepted,
    ...plain,
    operationId: "DropBoxes_EraseBundle",
    path: `${arrivalPath}:erase`,
    who: ["C"],
    summary: "Asks for deletion of what arrived before its time, on the word of the customer who dropped it.",
    params: ofArrival,
    body: erasureRequest,
    result: bundle,
  }),
  DropBoxes_GetErasure: route({
    ...get,
    ...plain,
    operationId: "DropBoxes_GetErasure",
    path: `${arrivalPath}/erasure`,
    who: ["C", "A"],
    summary: "How an erasure that was asked for stands.",
    params: ofArrival,
    result: erasure,
  }),
  DropBoxes_CancelErase: route({
    ...action,
    ...plain,
    operationId: "DropBoxes_CancelErase",
    path: `${arrivalPath}:cancelErase`,
    who: ["C"],
    summary: "Takes a pending erasure back.",
    params: ofArrival,
    body: erasureRequest,
    result: bundle,
  }),
};
