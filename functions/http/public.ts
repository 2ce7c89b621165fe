import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Service_GetHealth, (handlers) => handlers.Service_GetHealth);
register(routes.Service_GetOpenApi, (handlers) => handlers.Service_GetOpenApi);
register(routes.Service_GetKeys, (handlers) => handlers.Service_GetKeys);
register(routes.Terms_List, (handlers) => handlers.Terms_List);
register(routes.Terms_Get, (handlers) => handlers.Terms_Get);
