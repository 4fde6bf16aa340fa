// Who a request is made as, asked anew while it is under way.
import type { Judge } from '../permissions'
import { actorOf, type Exchange } from './exchange'
import type { Identify } from './identify'

export const judgeOf =
  (caller: Exchange, identify: Identify): Judge =>
  async (workspace) =>
    actorOf(caller, await identify(caller.request, workspace))
