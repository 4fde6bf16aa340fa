// The right to send: it must stand when a body begins, and while it comes.
import { Failure } from '../../errors'
import { type Actor, type Judge, mayIn, type Permission } from '../../permissions'
import type { Hold } from '../../ports'
import { type Revocations, subjectsOf } from '../../revocation'

/** Builds the right of an actor to store in a project, judged now and whenever something is taken away. @throws Failure `forbidden` */
export const createSendRight =
  (revocations: Revocations) =>
  async (actor: Actor, judge: Judge, projectId: string, need: Permission): Promise<Hold> => {
    const since = revocations.version()
    const stands = async () => mayIn(await judge(actor.workspace.publicId), need, projectId)
    if (!(await stands())) throw new Failure('forbidden')
    return revocations.hold(subjectsOf(actor), since, stands)
  }
export type SendRight = ReturnType<typeof createSendRight>
