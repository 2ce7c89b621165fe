import type { World } from "../../operations/needs.ts";
import { forgetPerson } from "../../operations/people/forgetPerson.ts";
import { nothing } from "../answer.ts";
import { asToken, type HandlersFor } from "./handler.ts";

export const peopleHandlers = (world: World): HandlersFor<"People"> => ({
  People_Forget: async ({ caller, params }) => {
    await forgetPerson(world, asToken(caller), params.subjectId);
    return nothing;
  },
});
