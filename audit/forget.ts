import { post, type Service, Unreadable } from "./service.ts";

/** Forgetting a person: what names them goes, the events that hold their subject id stay. */

/** Throws `Unreadable` where the service knows nobody of that subject id. */
export async function forget(service: Service, subject: string): Promise<void> {
  // What is no subject id must not become another path.
  if (!/^[A-Za-z0-9-]{1,64}$/.test(subject))
    throw new Unreadable(`${subject} is no subject id. Events name people by it, as in a consent's decidedBy.`);
  await post(service, `/people/${subject}:forget`);
}
