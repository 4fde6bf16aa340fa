// The media of one project: dropped here, seen in a grid, played in place.
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n'
import { size } from '../numbers'
import { paths } from '../paths'
import { loadPeople } from '../people'
import { workspace } from '../place'
import { usePages, useResource } from '../resource'
import { go, query } from '../router'
import { api } from '../session'
import { Button } from '../ui/button'
import { showDialog } from '../ui/dialog'
import { List } from '../ui/list'
import { Head } from '../ui/page'
import { Preview } from '../ui/preview'
import { Empty, Load } from '../ui/states'
import { Ago } from '../ui/time'
import { arrived, sendFiles } from '../uploads'
import { type Media, queryOf } from '../workspace-api'
import { MediaDialog } from './media-dialog'
import { Uploads } from './uploads'

const ProjectChoice = ({ project }: { project: string }) => {
  const { state } = useResource(api.projects)
  if (state.value.is !== 'ready' || state.value.data.data.length < 2) return null
  return (
    <select
      class="select"
      aria-label={t('media.project')}
      value={project}
      onChange={(event) => go(paths.media + queryOf({ project: event.currentTarget.value }))}
    >
      {state.value.data.data.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  )
}

const DropZone = ({ project }: { project: string }) => {
  const input = useRef<HTMLInputElement>(null)
  const isOver = useSignal(false)
  const take = (files: FileList | null | undefined) => {
    isOver.value = false
    sendFiles([...(files ?? [])], project)
  }
  const over = (is: boolean) => (event: DragEvent) => {
    event.preventDefault()
    isOver.value = is
  }
  return (
    <section
      class={isOver.value ? 'drop over' : 'drop'}
      aria-label={t('media.upload')}
      onDragOver={over(true)}
      onDragLeave={over(false)}
      onDrop={(event) => {
        event.preventDefault()
        take(event.dataTransfer?.files)
      }}
    >
      <p>{t('media.drop')}</p>
      <Button kind="main" onClick={() => input.current?.click()}>
        {t('media.upload')}
      </Button>
      <input
        ref={input}
        class="unseen"
        type="file"
        multiple
        tabIndex={-1}
        aria-label={t('media.choose')}
        onChange={(event) => {
          take(event.currentTarget.files)
          event.currentTarget.value = ''
        }}
      />
    </section>
  )
}

const Card = ({ media, open }: { media: Media; open: () => void }) => (
  <li class="media-card">
    <button type="button" onClick={open}>
      <Preview media={media} />
      <span class="media-name">{media.name}</span>
      <span class="facts">
        <span>{size(media.size)}</span>
        <Ago at={media.created_at} />
      </span>
    </button>
  </li>
)

const Files = ({ project, mayAdd }: { project: string; mayAdd: boolean }) => {
  const files = usePages((cursor) => api.media(project, cursor), project)
  useSignalEffect(() => {
    if (arrived.value > 0) void files.reload()
  })
  const empty = (
    <Empty icon="film" title={t('media.empty_title')}>
      {mayAdd ? t('media.empty') : t('media.empty_reader')}
    </Empty>
  )
  return (
    <List from={files} label={t('media.title')} look="media-grid" empty={empty}>
      {(media) => (
        <Card key={media.id} media={media} open={() => showDialog(<MediaDialog media={media} files={files} />)} />
      )}
    </List>
  )
}

export const MediaPage = () => {
  const project = query.value.get('project') ?? workspace.value!.default_project_id
  useEffect(() => void loadPeople(), [])
  // What one may do differs by project where it is restricted.
  const rights = useResource(() => api.whoami(project), project)
  return (
    <>
      <Head title={t('media.title')} lead={t('media.lead')}>
        <ProjectChoice project={project} />
      </Head>
      <Load from={rights}>
        {({ permissions }) => {
          const mayAdd = permissions.includes('media:create')
          return (
            <>
              {mayAdd && <DropZone key={project} project={project} />}
              <Uploads project={project} />
              <Files key={project} project={project} mayAdd={mayAdd} />
            </>
          )
        }}
      </Load>
    </>
  )
}
