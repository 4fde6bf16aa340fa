// What stands before asking and typing: known devices, budgets, the breaker, and a sign that a person is there.

import { Failure } from '../../errors'
import type { CodeFormat } from '../../lib/code'
import type { Statement } from '../../ports'
import { ifChanged } from '../../write'
import type { AccountService } from '../account/service'
import type { DeviceService } from '../devices/service'
import { type Breaker, createBreaker } from './breaker'
import { budgets, type Share } from './budgets'
import type { Humans } from './human'
import type { ChallengeRow } from './store'
import { giveBack, removeOldUses, spend } from './store-defence'

type Deps = Parameters<typeof createBreaker>[0] & {
  devices: Pick<DeviceService, 'find'>
  account: Pick<AccountService, 'findByAddress'>
  humans: Humans
  /** Whether mails are counted; a benchmark asks for more than a person would. */
  countsMails: boolean
  /** Digits are few: past the breaker none are taken, and only links work. */
  codeFormat: CodeFormat
}
type Starting = { exact: string; mailboxHash: string; device: string | undefined; human: string | undefined }
type Asked = Pick<ChallengeRow, 'purpose' | 'mailboxHash' | 'deviceId' | 'sessionId'>

/**
 * Strangers share what a mailbox has; a known device, like a session, has its own. Whoever wants to move to an address is a
 * stranger to it.
 */
const ownerOf = ({ purpose, mailboxHash, deviceId, sessionId }: Asked): string => {
  const trusted = purpose === 'email-change' ? null : (deviceId ?? sessionId)
  return trusted === null ? mailboxHash : `${mailboxHash}:${trusted}`
}

export const createDefence = ({ devices, account, humans, countsMails, codeFormat, ...deps }: Deps) => {
  const { clock } = deps
  const breaker: Breaker = createBreaker(deps)

  return {
    /**
     * Whether a known device of that address's user asks to sign in, and what spends the answer of an unknown one.
     * @throws `human_required`
     */
    async atStart({ exact, mailboxHash, device, human }: Starting) {
      const user = device === undefined ? undefined : await account.findByAddress(exact)
      const deviceId = (user && device !== undefined && (await devices.find(device, user.id))) || null
      return { deviceId, statements: deviceId ? [] : await humans.demand('sign-in', mailboxHash, human) }
    },

    /**
     * `mail`, and what asking for it uses up: it goes out only where there is room for it. Whoever asks pays also where
     * the mailbox has no room or there is to be no mail: else what they have left would tell them of it.
     */
    mailed(asked: Asked, payer: string | null, mail: Statement | null): Statement[] {
      if (!countsMails) return mail ? [mail] : []
      const mailbox: Share = [budgets.mailsToMailbox, ownerOf(asked)]
      const shares: [Share, ...Share[]] = payer === null ? [mailbox] : [[budgets.mailsAskedBy, payer], mailbox]
      return [...spend(shares, clock.now()), ...(mail ? [ifChanged(mail)] : [])]
    },

    /**
     * What an attempt uses up before its code is compared; the last statement changes no row where nothing is left. A
     * right code takes `giveBack` into its batch. @throws under an open breaker `human_required`, or `invalid_or_expired` where codes are digits
     */
    async atVerify(asked: Asked, human: string | undefined) {
      const [share, now]: [Share, number] = [[budgets.guesses, ownerOf(asked)], clock.now()]
      const isOpen = await breaker.isOpen()
      if (isOpen && codeFormat === 'digits') throw new Failure('invalid_or_expired')
      const proof = isOpen ? await humans.demand('verify', asked.mailboxHash, human) : []
      return { statements: [...proof, ...spend([share], now)], giveBack: giveBack(share, now) }
    },

    noteFailure: breaker.noteFailure,
    isBreakerOpen: breaker.isOpen,
    /** For the sweeper: what no longer counts. */
    removeOld: (): Statement[] => [removeOldUses(clock.now()), humans.removeEnded(clock.now())],
  }
}
export type Defence = ReturnType<typeof createDefence>
