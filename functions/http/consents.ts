import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Consents_Get, (handlers) => handlers.Consents_Get);
register(routes.Consents_Put, (handlers) => handlers.Consents_Put);
register(routes.Consents_ListDecisions, (handlers) => handlers.Consents_ListDecisions);
