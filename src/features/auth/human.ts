// Asks for a sign that a person is there, and spends it: an answer is good once, for one purpose at one mailbox.
import { Failure } from '../../errors'
import type { Clock, HumanCheck, Statement } from '../../ports'
import { removeEndedProofs, spendProof } from './store-defence'

const required = async (check: HumanCheck, use: string, now: number) =>
  new Failure('human_required', undefined, { extra: { human: await check.ask(use, now) } })

/** `check`: null where nobody asks for it. */
export const createHumans = (check: HumanCheck | null, clock: Pick<Clock, 'now'>) => ({
  /**
   * What spends `answer` in the batch it allows: that fails when the answer was spent before.
   * @throws `human_required`, with a fresh challenge inside, for a missing or wrong one.
   */
  async demand(purpose: string, mailboxHash: string, answer: string | undefined): Promise<Statement[]> {
    if (!check) return []
    const [use, now] = [`${purpose}:${mailboxHash}`, clock.now()]
    const proof = answer === undefined ? null : await check.judge(answer, use, now)
    const refusal = await required(check, use, now)
    if (!proof) throw refusal
    return [{ ...spendProof(proof), orElse: refusal }]
  },
  removeEnded: removeEndedProofs,
})
export type Humans = ReturnType<typeof createHumans>
