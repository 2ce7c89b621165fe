import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Imports_Get, (handlers) => handlers.Imports_Get);
register(routes.Imports_Put, (handlers) => handlers.Imports_Put);
register(routes.Imports_Submit, (handlers) => handlers.Imports_Submit);
register(routes.Imports_GetVerification, (handlers) => handlers.Imports_GetVerification);
