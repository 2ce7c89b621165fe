import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Compliance_GetRetention, (handlers) => handlers.Compliance_GetRetention);
register(routes.Compliance_ListEvents, (handlers) => handlers.Compliance_ListEvents);
