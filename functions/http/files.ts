import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Files_List, (handlers) => handlers.Files_List);
register(routes.Files_Extract, (handlers) => handlers.Files_Extract);
register(routes.Files_GetExtraction, (handlers) => handlers.Files_GetExtraction);
