import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Grants_List, (handlers) => handlers.Grants_List);
register(routes.Grants_Get, (handlers) => handlers.Grants_Get);
register(routes.Grants_Put, (handlers) => handlers.Grants_Put);
register(routes.Grants_IssueUrl, (handlers) => handlers.Grants_IssueUrl);
register(routes.Grants_Revoke, (handlers) => handlers.Grants_Revoke);
