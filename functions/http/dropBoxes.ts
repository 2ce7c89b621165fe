import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.DropBoxes_List, (handlers) => handlers.DropBoxes_List);
register(routes.DropBoxes_Get, (handlers) => handlers.DropBoxes_Get);
register(routes.DropBoxes_Put, (handlers) => handlers.DropBoxes_Put);
register(routes.DropBoxes_Close, (handlers) => handlers.DropBoxes_Close);
register(routes.DropBoxes_EraseBundle, (handlers) => handlers.DropBoxes_EraseBundle);
register(routes.DropBoxes_GetErasure, (handlers) => handlers.DropBoxes_GetErasure);
register(routes.DropBoxes_CancelErase, (handlers) => handlers.DropBoxes_CancelErase);
