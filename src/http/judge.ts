// Who a request is made as, asked anew while it is under way.
import type { Actor } from '../permissions'
import { actorOf, type Exchange } from './exchange'
import type { Identify } from './identify'

/** As whom it is made in the workspace of that public id, by its credential as it is now; null for nobody there. */
export const judgeOf =
  (caller: Exchange, identify: Identify) =>
  async (workspace: string): Promise<Actor | null> =>
    actorOf(caller, await identify(caller.request, workspace))
