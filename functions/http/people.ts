import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.People_Forget, (handlers) => handlers.People_Forget);
