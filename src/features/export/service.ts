// A workspace as one archive, for its admins: sent as it is read, as long as the right to it stands.
import { Failure } from '../../errors'
import { cutBy, streamOf } from '../../lib/stream'
import type { Traffic } from '../../limits/traffic'
import type { Actor, Judge } from '../../permissions'
import type { Clock, Hold } from '../../ports'
import { type Revocations, subjectsOf } from '../../revocation'
import { assertFresh } from '../../step-up'
import type { Write } from '../../write'
import { archiveOf, type Contents } from './archive'

type Deps = {
  write: Write
  clock: Clock
  revocations: Pick<Revocations, 'version' | 'hold'>
  traffic: Pick<Traffic, 'outgoing'>
  /** What there is to be seen as the actor; what is being read ends with `hold`. */
  contentsOf: (actor: Actor, judge: Judge, hold: () => Hold) => Promise<Contents>
}

export const exportService = ({ write, clock, revocations, traffic, contentsOf }: Deps) => ({
  /**
   * All that a workspace holds, as a tar archive, made once it is opened. @throws Failure `not_found` unless it is the
   * workspace the actor is in; `step_up_required`; and where it is opened, `rate_limited`.
   */
  export(actor: Actor, judge: Judge, id: string) {
    if (id !== actor.workspace.publicId) throw new Failure('not_found')
    assertFresh(actor.person, clock.now())
    const since = revocations.version()
    const still = async () => (await judge(id))?.permissions.has('workspace:export') ?? false
    const open = async (): Promise<ReadableStream<Uint8Array>> => {
      const right = traffic.outgoing(actor).begin(revocations.hold(subjectsOf(actor), since, still))
      try {
        await write(actor, { action: 'workspace.exported', targets: [id] }, [])
        const hold = () => ({ signal: right.signal, release: () => {} })
        const contents = await contentsOf(actor, judge, hold)
        return cutBy(streamOf(archiveOf(contents, clock.now), right.release), right.signal)
      } catch (error) {
        right.release()
        throw error
      }
    }
    return { type: 'application/x-tar', name: `${id}.tar`, open }
  },
})
export type ExportService = ReturnType<typeof exportService>
