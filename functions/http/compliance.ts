import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Compliance_GetRetention, (handlers) => handlers.Compliance_GetRetention);
register(routes.Compliance_ListEvents, (handlers) => handlers.Compliance_ListEvents);
register(routes.Compliance_ListCheckpoints, (handlers) => handlers.Compliance_ListCheckpoints);
register(routes.Compliance_ListLeaves, (handlers) => handlers.Compliance_ListLeaves);
register(routes.Compliance_GetProof, (handlers) => handlers.Compliance_GetProof);
register(routes.Compliance_ListAccesses, (handlers) => handlers.Compliance_ListAccesses);
