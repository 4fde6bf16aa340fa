// API keys: what there is, making one, rotating with a grace, revoking with a receipt.
import { t } from '../i18n'
import { may } from '../place'
import { type Pages, usePages } from '../resource'
import { api } from '../session'
import { inFull } from '../time'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { List } from '../ui/list'
import { Head } from '../ui/page'
import { Empty } from '../ui/states'
import { Ago } from '../ui/time'
import type { Key, Receipt } from '../workspace-api'
import { newKey, rotateKey } from './key-dialogs'

const ReceiptDialog = ({ name, receipt }: { name: string; receipt: Receipt }) => {
  const { bound_ms, confirmed } = receipt.other_nodes
  return (
    <Dialog title={t('keys.receipt', { name })}>
      <dl class="ids">
        <dt>{t('keys.receipt_at')}</dt>
        <dd>{inFull(receipt.revoked_at)}</dd>
        <dt>{t('keys.receipt_here')}</dt>
        <dd>{t('keys.receipt_immediate')}</dd>
        <dt>{t('keys.receipt_others')}</dt>
        <dd>{confirmed ? t('keys.receipt_confirmed') : t('keys.receipt_within', { ms: bound_ms })}</dd>
      </dl>
      <div class="actions">
        <Button kind="main" onClick={closeDialog}>
          {t('action.close')}
        </Button>
      </div>
    </Dialog>
  )
}

const askRevoke = ({ id, name }: Key, keys: Pages<Key>) => {
  let receipt: Receipt | undefined
  ask({
    title: t('keys.ask_revoke', { name }),
    body: t('keys.ask_revoke_body'),
    action: t('keys.revoke'),
    run: async () => {
      const answer = await api.revokeKey(id)
      if (answer.ok) receipt = answer.data
      return answer
    },
    done: () => {
      if (receipt) showDialog(<ReceiptDialog name={name} receipt={receipt} />)
      void keys.reload()
    },
  })
}

const KeyRow = ({ of, keys }: { of: Key; keys: Pages<Key> }) => {
  const { name, hint, environment, level, status, projects, last_used_at, expires_at, created_at } = of
  const isActive = status === 'active'
  return (
    <li class={isActive ? 'row' : 'row over'}>
      <Icon name="key" />
      <div class="row-body">
        <p class="row-title">
          {name}
          <code>{hint}…</code>
          <span class="badge plain">{t(`level.${level}`)}</span>
          {environment !== 'live' && <span class="badge plain">{t(`environment.${environment}`)}</span>}
          {!isActive && <span class="badge bad">{t(`keys.${status}`)}</span>}
        </p>
        <p class="facts">
          <span>
            {last_used_at ? (
              <>
                {t('keys.last_used')} <Ago at={last_used_at} />
              </>
            ) : (
              t('keys.never_used')
            )}
          </span>
          <span>
            {t('projects.created_at')} <Ago at={created_at} />
          </span>
          {expires_at && <span>{t('keys.expires', { at: inFull(expires_at) })}</span>}
          {projects && <span>{t('keys.for_projects', { count: projects.length })}</span>}
        </p>
      </div>
      {isActive && may('key:rotate') && (
        <Button onClick={() => rotateKey(of, keys)} aria-label={t('keys.rotate_named', { name })}>
          {t('keys.rotate')}
        </Button>
      )}
      {isActive && may('key:revoke') && (
        <Button kind="danger" onClick={() => askRevoke(of, keys)} aria-label={t('keys.revoke_named', { name })}>
          {t('keys.revoke')}
        </Button>
      )}
    </li>
  )
}

export const KeysPage = () => {
  const keys = usePages(api.keys)
  const create = may('key:create') && (
    <Button kind="main" onClick={() => newKey(keys)}>
      {t('keys.create')}
    </Button>
  )
  return (
    <>
      <Head title={t('keys.title')} lead={t('keys.lead')}>
        {create}
      </Head>
      <List
        from={keys}
        label={t('keys.title')}
        empty={
          <Empty icon="key" title={t('keys.empty_title')}>
            {t('keys.empty')}
          </Empty>
        }
      >
        {(key) => <KeyRow key={key.id} of={key} keys={keys} />}
      </List>
    </>
  )
}
