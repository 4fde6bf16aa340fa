// Ports become services: which one is given which.
import { version } from '../package.json'
import type { Config } from './config'
import { createDenials } from './features/audit/denials'
import { auditService } from './features/audit/service'
import { createHumans } from './features/auth/human'
import { backupService } from './features/backups/service'
import { backupStore } from './features/backups/store'
import { createContents } from './features/export/contents'
import { exportService } from './features/export/service'
import { healthService } from './features/health/service'
import { keyHygiene } from './features/keys/hygiene'
import { keyService } from './features/keys/service'
import { operatorService } from './features/operator/service'
import { projectMemberService } from './features/projects/members'
import { projectService } from './features/projects/service'
import { createPurge } from './features/workspaces/purge'
import { workspaceService } from './features/workspaces/service'
import { createFeed } from './feed'
import { createOnce } from './idempotency'
import { createJobs } from './jobs'
import type { Keyring } from './keyring'
import { createAddresses } from './keyring/addresses'
import { randomBase62 } from './lib/id'
import type { Plans } from './limits'
import type { Backups, Blobs, Clock, Database, Hint, HumanCheck, Limiter, Log, Mailer, Pour, Tokens } from './ports'
import { createReceipt } from './receipt'
import { createRevocations } from './revocation'
import { createFiles } from './services/files'
import { createPeople } from './services/people'
import { createUse } from './services/use'
import { createUnaudited, createWrite } from './write'

export type Ports = {
  db: Database
  blobs: Blobs
  pour: Pour
  mailer: Mailer
  tokens: Tokens
  keyring: Keyring
  clock: Clock
  log: Log
  /** Absent: in memory. */
  limiter?: Limiter
  /** Absent: the default ones. */
  plans?: Plans
  /** Null where nobody is asked to show that they are a person. */
  human: HumanCheck | null
  /** Absent: other nodes find out by themselves. */
  hint?: Hint
  /** Absent: none are made by themselves. */
  backups?: Backups
  /** Ends the process because its database is not what it was. Absent: it only refuses everybody. */
  halt?: (why: string) => void
}

/** Every service of the program, over the ports. */
export const createServices = (config: Config, ports: Ports) => {
  const { db, blobs, pour, mailer, tokens, keyring, clock, log, hint, halt = () => {} } = ports
  const revocations = createRevocations(db)
  const write = createWrite({ db, clock, revocations, hint, hear: () => feed.hear() })
  const unaudited = createUnaudited(db)
  const addresses = createAddresses(keyring)
  const node = randomBase62(16)
  const jobs = createJobs({ db, clock, log, holder: node })
  const feed = createFeed({ db, clock, log, revocations, node, staleMs: config.staleReadsMs, halt, hint })
  const base = { db, write, unaudited, clock }
  const newReceipt = createReceipt(feed.otherNodes)

  const use = createUse(config, { ...base, limiter: ports.limiter, plans: ports.plans })
  const workspaces = workspaceService(base)
  const keys = keyService({ ...base, keyring, prefix: config.keyPrefix, newReceipt, quotas: use.quotas })
  const hygiene = keyHygiene({ ...base, keys })
  const projects = projectService(base)
  const projectMembers = projectMemberService(base)
  const purge = createPurge(base)
  const audit = auditService({ ...base, keyring, log, revocations, traffic: use.traffic })
  const denials = createDenials(base)
  const people = createPeople(config, {
    ...{ base, addresses, keyring, tokens, mailer, log, workspaces, audit, humans: createHumans(ports.human, clock) },
    endKeysMadeBy: hygiene.endMadeBy,
    newReceipt,
    quotas: use.quotas,
    mailWaits: () => jobs.kick('outbox'),
  })
  const { instanceOf } = backupStore(db)
  const files = createFiles(config, { ...{ base, blobs, pour, keyring, log, revocations }, ...use, instanceOf })
  const contentsOf = createContents({ ...people, ...files, workspaces, projects, projectMembers, keys, audit })
  const archive = exportService({ ...base, revocations, traffic: use.traffic, contentsOf })
  const backups =
    ports.backups && config.backups
      ? backupService({ ...base, instanceOf, backups: ports.backups, everyMs: config.backups.everyMs })
      : null
  const checks = {
    database: { required: true, run: db.check },
    storage: { required: true, run: blobs.check },
    mail: { required: false, run: people.mail.check },
    media: { required: false, run: files.mediaOwner.check },
    ...(backups && { backup: { required: false, run: backups.check } }),
  }
  const health = healthService({ clock, version, checks, node: feed.node })
  const { isGuessBreakerOpen } = people
  const { operators } = config
  const operator = operatorService({ ...base, ...use, addresses, operators, health, version, isGuessBreakerOpen })
  return {
    ...{ ...use, ...people, ...files },
    ...{ revocations, feed, jobs, once: createOnce({ db, clock, keyring }) },
    ...{ workspaces, projects, projectMembers, keys, hygiene, purge },
    ...{ audit, denials, archive, backups, health, operator },
  }
}
export type Services = ReturnType<typeof createServices>
