import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Cases_List, (handlers) => handlers.Cases_List);
register(routes.Cases_Get, (handlers) => handlers.Cases_Get);
register(routes.Cases_Put, (handlers) => handlers.Cases_Put);
register(routes.Cases_ListBundles, (handlers) => handlers.Cases_ListBundles);
register(routes.Cases_LinkBundle, (handlers) => handlers.Cases_LinkBundle);
register(routes.Cases_UnlinkBundle, (handlers) => handlers.Cases_UnlinkBundle);
