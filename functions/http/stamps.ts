import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Stamps_List, (handlers) => handlers.Stamps_List);
register(routes.Stamps_Get, (handlers) => handlers.Stamps_Get);
register(routes.Stamps_Put, (handlers) => handlers.Stamps_Put);
register(routes.Stamps_RotateKey, (handlers) => handlers.Stamps_RotateKey);
register(routes.Stamps_Disable, (handlers) => handlers.Stamps_Disable);
register(routes.Stamps_Enable, (handlers) => handlers.Stamps_Enable);
register(routes.Stamps_GetCollectionOptions, (handlers) => handlers.Stamps_GetCollectionOptions);
register(routes.Stamps_ListAccessGrants, (handlers) => handlers.Stamps_ListAccessGrants);
register(routes.Stamps_CheckUpload, (handlers) => handlers.Stamps_CheckUpload);
register(routes.Stamps_ListAccesses, (handlers) => handlers.Stamps_ListAccesses);
