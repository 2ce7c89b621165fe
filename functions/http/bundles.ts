import { routes } from "../../shared/api/routes.ts";
import { register } from "./register.ts";

register(routes.Bundles_List, (handlers) => handlers.Bundles_List);
register(routes.Bundles_Get, (handlers) => handlers.Bundles_Get);
register(routes.Bundles_Put, (handlers) => handlers.Bundles_Put);
register(routes.Bundles_RenewUpload, (handlers) => handlers.Bundles_RenewUpload);
register(routes.Bundles_Submit, (handlers) => handlers.Bundles_Submit);
register(routes.Bundles_GetVerification, (handlers) => handlers.Bundles_GetVerification);
register(routes.Bundles_Cancel, (handlers) => handlers.Bundles_Cancel);
register(routes.Bundles_Erase, (handlers) => handlers.Bundles_Erase);
register(routes.Bundles_GetErasure, (handlers) => handlers.Bundles_GetErasure);
register(routes.Bundles_CancelErase, (handlers) => handlers.Bundles_CancelErase);
register(routes.Bundles_GetDeletionCertificate, (handlers) => handlers.Bundles_GetDeletionCertificate);
