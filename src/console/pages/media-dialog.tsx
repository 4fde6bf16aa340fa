// One file: seen or played, its facts, its name, its end.
import { useSignal } from '@preact/signals'
import { t } from '../i18n'
import { size } from '../numbers'
import { nameOf } from '../people'
import { type Pages, useResource } from '../resource'
import { api } from '../session'
import { inFull } from '../time'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { Copyable } from '../ui/copy'
import { closeDialog, Dialog } from '../ui/dialog'
import { Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { done } from '../ui/list'
import { Player } from '../ui/preview'
import type { Media } from '../workspace-api'
import { MediaLink } from './media-link'

type Props = { media: Media; files: Pages<Media> }

const askDelete = ({ id, name }: Media, files: Pages<Media>) =>
  ask({
    title: t('media.ask_delete', { name }),
    body: t('media.ask_delete_body'),
    action: t('media.delete'),
    run: () => api.deleteMedia(id),
    done: () => done(t('media.deleted', { name }), files),
  })

const Facts = ({ media }: { media: Media }) => (
  <dl class="ids">
    <dt>{t('media.type')}</dt>
    <dd>
      {media.type} · {size(media.size)}
    </dd>
    <dt>{t('media.uploaded')}</dt>
    <dd>
      {inFull(media.created_at)} · {nameOf(media.created_by)}
    </dd>
    <dt>{t('media.id')}</dt>
    <dd>
      <Copyable value={media.id} label={t('media.id')} />
    </dd>
    <dt>SHA-256</dt>
    <dd>
      <Copyable value={media.sha256} label="SHA-256" />
    </dd>
  </dl>
)

const Rename = ({ media, files, end }: Props & { end: (name: string) => void }) => (
  <Form
    action={t('action.save')}
    isDialog={false}
    send={(form) => api.renameMedia(media.id, textOf(form, 'name'))}
    done={({ name }) => {
      end(name)
      done(t('name.saved'), files)
    }}
  >
    {(wrong) => (
      <Field
        {...{ label: t('name.label'), name: 'name', required: true, defaultValue: media.name }}
        error={wrong('name', t('media.name_wrong'))}
      />
    )}
  </Form>
)

export const MediaDialog = ({ media: listed, files }: Props) => {
  const name = useSignal(listed.name)
  const media = { ...listed, name: name.value }
  const isRenaming = useSignal(false)
  const rights = useResource(() => api.whoami(media.project_id)).state.value
  const may = (permission: string) => rights.is === 'ready' && rights.data.permissions.includes(permission)
  return (
    <Dialog title={media.name} isWide>
      <Player media={media} />
      {isRenaming.value && (
        <Rename
          {...{ media, files }}
          end={(to) => {
            name.value = to
            isRenaming.value = false
          }}
        />
      )}
      <Facts media={media} />
      {may('link:create') && <MediaLink media={media} />}
      <div class="actions">
        {may('media:delete') && (
          <Button kind="danger" onClick={() => askDelete(media, files)}>
            {t('media.delete')}
          </Button>
        )}
        {may('media:update') && !isRenaming.value && (
          <Button
            onClick={() => {
              isRenaming.value = true
            }}
          >
            {t('media.rename')}
          </Button>
        )}
        <a class="button" href={media.url} download={media.name}>
          {t('media.download')}
        </a>
        <Button kind="main" onClick={closeDialog}>
          {t('action.close')}
        </Button>
      </div>
    </Dialog>
  )
}
