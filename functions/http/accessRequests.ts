import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.AccessApproval_Get, (handlers) => handlers.AccessApproval_Get);
register(routes.AccessApproval_Put, (handlers) => handlers.AccessApproval_Put);
register(routes.AccessRequests_List, (handlers) => handlers.AccessRequests_List);
register(routes.AccessRequests_Approve, (handlers) => handlers.AccessRequests_Approve);
register(routes.AccessRequests_Deny, (handlers) => handlers.AccessRequests_Deny);
